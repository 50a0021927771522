// One scanner for both readers, so that what is shown and what is kept cannot disagree.
#include "agents/summary/marks.hpp"

#include "agents/recap/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace troupe::summary {
namespace {

constexpr std::size_t kMarkBytesMax = 96;
constexpr std::size_t kMarkNumbersMax = 24;
constexpr std::size_t kSaidBytesMax = 64;
constexpr std::string_view kNothingSaid = ".!?,;: \t\r\n";

struct MarkNumbers {
  std::vector<std::size_t> valid;
  std::size_t bad = 0;
};

// "7", "p7" or "#7"; nothing when it is no number at all, 0 when it is one out of any range.
std::optional<std::size_t> mark_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && (text.front() == 'p' || text.front() == '#')) text.remove_prefix(1);
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? number : 0;
}

void add_numbers(MarkNumbers& out, std::size_t from, std::size_t to, std::size_t marks_max) {
  if (from > to || to - from >= kMarkNumbersMax) return void(++out.bad);
  for (auto number = from; number <= to; ++number) {
    bool fits = number >= 1 && number <= marks_max && out.valid.size() < kMarkNumbersMax;
    fits ? out.valid.push_back(number) : void(++out.bad);
  }
}

// The inside of a bracket as numbers; nothing when it is no mark.
std::optional<MarkNumbers> read_mark(std::string_view inside, std::size_t marks_max) {
  MarkNumbers out;
  while (true) {
    auto comma = inside.find_first_of(",;");
    auto item = inside.substr(0, comma);
    auto dash = item.find('-');
    auto from = mark_number(item.substr(0, dash));
    auto to = dash == std::string_view::npos ? from : mark_number(item.substr(dash + 1));
    if (!from || !to) return std::nullopt;
    add_numbers(out, *from, *to, marks_max);
    if (comma == std::string_view::npos) return out;
    inside.remove_prefix(comma + 1);
  }
}

bool ends_sentence(char c) { return c == '.' || c == '!' || c == '?'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string without_bullet(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n-*");
  // An asterisk or dash belongs to the text unless a blank follows it.
  if (first == std::string_view::npos) return {};
  if (first > 0 && !is_blank(text[first - 1])) first = text.find_first_not_of(" \t\r\n");
  return std::string(text.substr(first));
}

class StatementReader {
 public:
  StatementReader(std::size_t marks_max, const StatementLimits& limits)
      : limits_(limits),
        scanner_(marks_max, {.text = [this](std::string_view text) { text_ += text; },
                             .mark = [this](const auto& valid, std::size_t bad, auto) { take(valid, bad); },
                             .end = [this] { end(); }}) {}

  std::vector<Statement> read(std::string_view answer) {
    scanner_.add(answer.substr(0, limits_.answer_bytes_max));
    scanner_.finish();
    return std::move(out_);
  }

 private:
  void take(const std::vector<std::size_t>& valid, std::size_t bad) {
    now_.marks.insert(now_.marks.end(), valid.begin(), valid.end());
    now_.bad_marks += bad;
    // What stood before the mark is parted from what follows by a blank at most.
    if (!text_.empty() && text_.back() == ' ') text_.pop_back();
  }

  void end() {
    now_.text = recap::bounded_text(without_bullet(text_), limits_.text_bytes_max);
    text_.clear();
    auto done = std::exchange(now_, {});
    // Marks alone belong to what was said before them.
    if (done.text.find_first_not_of(kNothingSaid) == std::string::npos) {
      if (out_.empty()) return;
      auto& last = out_.back();
      last.marks.insert(last.marks.end(), done.marks.begin(), done.marks.end());
      last.bad_marks += done.bad_marks;
      tidy_marks(last);
      return;
    }
    if (out_.size() == limits_.statements_max) return;
    tidy_marks(done);
    out_.push_back(std::move(done));
  }

  static void tidy_marks(Statement& statement) {
    std::ranges::sort(statement.marks);
    auto doubles = std::ranges::unique(statement.marks);
    statement.marks.erase(doubles.begin(), doubles.end());
  }

  const StatementLimits& limits_;
  std::vector<Statement> out_;
  Statement now_;
  std::string text_;
  MarkScanner scanner_;
};

}  // namespace

void MarkScanner::add(std::string_view text) {
  for (char c : text) add_byte(c);
  flush_text();
}

void MarkScanner::finish() {
  flush_bracket();
  flush_text();
  end_statement();
}

void MarkScanner::add_byte(char c) {
  if (!held_.empty()) {
    if (c == '\n' || c == '[' || held_.size() >= kMarkBytesMax) {
      flush_bracket();
    } else {
      held_ += c;
      if (c == ']') close_bracket();
      return;
    }
  }
  if (c == '[') {
    held_ = "[";
    return;
  }
  add_plain(c);
}

void MarkScanner::add_plain(char c) {
  bool blank = is_blank(c) || c == '\n';
  if (c == '\n' || (blank && after_mark_ && sentence_over_)) {
    flush_text();
    end_statement();
  }
  text_ += c;
  if (blank) return;
  if (after_mark_ && ends_sentence(c)) {
    sentence_over_ = true;
  } else {
    after_mark_ = sentence_over_ = false;
  }
  last_ = c;
  anything_ = true;
}

void MarkScanner::close_bracket() {
  auto numbers = read_mark(std::string_view(held_).substr(1, held_.size() - 2), marks_max_);
  if (!numbers) return flush_bracket();
  flush_text();
  auto raw = std::exchange(held_, {});
  anything_ = true;
  after_mark_ = true;
  sentence_over_ = sentence_over_ || ends_sentence(last_);
  events_.mark(numbers->valid, numbers->bad, raw);
}

void MarkScanner::flush_bracket() {
  for (char c : std::exchange(held_, {})) add_plain(c);
}

void MarkScanner::flush_text() {
  if (!text_.empty()) events_.text(std::exchange(text_, {}));
}

void MarkScanner::end_statement() {
  after_mark_ = sentence_over_ = false;
  last_ = '\n';
  if (std::exchange(anything_, false)) events_.end();
}

bool says_not_found(std::string_view text) {
  constexpr std::string_view around = " \t\r\n-*.\"";
  auto first = text.find_first_not_of(around);
  if (first == std::string_view::npos) return false;
  return text.substr(first, text.find_last_not_of(around) + 1 - first) == kNotFound;
}

std::vector<Statement> read_statements(std::string_view answer, std::size_t marks_max,
                                       const StatementLimits& limits) {
  return StatementReader(marks_max, limits).read(answer);
}

LiveText::LiveText(std::size_t marks_max, std::function<void(std::string_view)> show, Marks marks)
    : show_(std::move(show)),
      marks_(marks),
      scanner_(marks_max,
               {.text = [this](std::string_view text) { on_text(text); },
                .mark = [this](const std::vector<std::size_t>& valid, auto, auto) { on_mark(valid); },
                .end = [this] { on_end(); }}) {}

void LiveText::on_text(std::string_view text) {
  // Enough of a statement to tell whether it is one, and whether it is kNotFound.
  if (said_.size() < kSaidBytesMax) said_ += text;
  if (marks_ == Marks::shown) return show_(text);
  auto whole = std::exchange(blanks_, {}) + std::string(text);
  auto end = whole.find_last_not_of(' ') + 1;
  blanks_ = whole.substr(end);
  if (end > 0) show_(std::string_view(whole).substr(0, end));
}

void LiveText::on_mark(const std::vector<std::size_t>& valid) {
  blanks_.clear();
  if (valid.empty()) return;
  marked_ = true;
  if (marks_ == Marks::shown) show_(fmt::format("[{}]", fmt::join(valid, ", ")));
}

void LiveText::on_end() {
  auto said = without_bullet(std::exchange(said_, {}));
  bool empty = said.find_first_not_of(kNothingSaid) == std::string::npos;
  if (!empty && !std::exchange(marked_, false) && !says_not_found(said)) {
    ++withdrawn_;
    show_(kNoSource);
  }
  marked_ = false;
}

}  // namespace troupe::summary
