#include "runtime/policy/difficulty.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cmath>
#include <span>

namespace troupe::policy {
namespace {

constexpr std::string_view kFileHead = "difficulty 1";
constexpr std::size_t kQuantiles = 101;
constexpr std::array<std::string_view, 14> kFractionWords{
    "eighth",  "fifth",    "fifths", "fourth", "fourths", "half",  "halves",
    "quarter", "quarters", "sixth",  "tenth",  "tenths",  "third", "thirds"};
constexpr std::array<std::string_view, 35> kNumberWords{
    "couple",   "double",   "dozen",  "eight",   "eleven", "fifteen", "fifth",   "fifty",  "five",
    "forty",    "four",     "fourth", "fourths", "half",   "hundred", "million", "nine",   "one",
    "quarter",  "quarters", "seven",  "six",     "sixty",  "ten",     "third",   "thirds", "thirty",
    "thousand", "three",    "thrice", "triple",  "twelve", "twenty",  "twice",   "two"};

static_assert(std::ranges::is_sorted(kFractionWords) && std::ranges::is_sorted(kNumberWords));

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) {
  return is_capital(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) > 127;
}
char small(char c) { return is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// Counts while it walks.
class TextWalk {
 public:
  explicit TextWalk(std::string_view text) : text_(text) {}

  TextFigures figures() {
    while (at_ < text_.size()) {
      if (is_letter(text_[at_]))
        word();
      else if (is_digit(text_[at_]))
        number();
      else
        sign();
    }
    auto log_of = [](std::size_t count) { return std::log1p(static_cast<double>(count)); };
    double variety = words_ == 0 ? 1 : static_cast<double>(seen_.count()) / static_cast<double>(words_);
    return {log_of(words_),           log_of(sentences_),    log_of(numbers_),
            std::log10(1 + largest_), log_of(number_words_), log_of(fractions_),
            log_of(commas_),          log_of(capitals_),     variety};
  }

 private:
  void word() {
    capitals_ += is_capital(text_[at_]) ? 1 : 0;
    std::array<char, 32> letters;
    std::size_t length = 0;
    // An apostrophe belongs to its word.
    for (; at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '\''); ++at_)
      if (length < letters.size()) letters[length++] = small(text_[at_]);
    std::string_view word(letters.data(), length);
    ++words_;
    seen_.set(stable_hash(word) % seen_.size());
    number_words_ += std::ranges::binary_search(kNumberWords, word) ? 1 : 0;
    fractions_ += std::ranges::binary_search(kFractionWords, word) ? 1 : 0;
  }

  bool digit_at(std::size_t place) const { return place < text_.size() && is_digit(text_[place]); }

  void number() {
    double value = 0, place = 0;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (is_digit(c)) {
        value = place > 0 ? value + (c - '0') * place : value * 10 + (c - '0');
        place /= 10;
      } else if (c == '.' && place == 0 && digit_at(at_ + 1)) {
        place = 0.1;
      } else if (c != ',' || place > 0 || !digit_at(at_ + 1)) {
        break;
      }
    }
    ++numbers_;
    largest_ = std::max(largest_, std::min(value, 1e18));
    if (at_ < text_.size() && text_[at_] == '/' && digit_at(at_ + 1)) ++fractions_;
  }

  void sign() {
    auto ends = [](char c) { return c == '.' || c == '!' || c == '?'; };
    char c = text_[at_++];
    commas_ += c == ',' ? 1 : 0;
    if (!ends(c)) return;
    while (at_ < text_.size() && ends(text_[at_])) ++at_;
    bool over = at_ == text_.size() || text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t';
    sentences_ += over ? 1 : 0;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::bitset<16384> seen_;
  std::size_t words_ = 0, sentences_ = 0, numbers_ = 0, number_words_ = 0, fractions_ = 0, commas_ = 0,
              capitals_ = 0;
  double largest_ = 0;
};

// ---- the file ----

/// Lines of a file, each a name and numbers.
class ModelLines {
 public:
  explicit ModelLines(std::string_view text) : rest_(text) {}

  std::string_view next() {
    auto end = std::min(rest_.find('\n'), rest_.size());
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return line;
  }
  bool numbers(std::string_view name, std::span<double> out) {
    auto line = next();
    if (!line.starts_with(name)) return false;
    line.remove_prefix(name.size());
    for (double& value : out) {
      if (!line.starts_with(' ')) return false;
      line.remove_prefix(1);
      auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
      if (error != std::errc() || !std::isfinite(value)) return false;
      line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    }
    return line.empty();
  }
  bool empty() const { return rest_.empty(); }
  std::unexpected<Error> wrong(std::string_view wanted) const {
    return fail(Errc::bad_config,
                fmt::format("line {}: expected {}; train the model again", number_, wanted));
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

}  // namespace

TextFigures text_figures(std::string_view text) {
  return TextWalk(text.substr(0, difficulty_text_max)).figures();
}

double difficulty_of(const DifficultyModel& model, std::string_view text) {
  auto figures = text_figures(text);
  double odds = model.intercept;
  for (std::size_t i = 0; i < text_figure_count; ++i)
    odds += model.terms[i].weight * (figures[i] - model.terms[i].mean) / model.terms[i].deviation;
  // Beyond it a double cannot tell the chance from 0 or 1.
  constexpr double odds_max = 30;
  return 1 / (1 + std::exp(-std::clamp(odds, -odds_max, odds_max)));
}

double difficulty_threshold(const DifficultyModel& model, double strong_share) {
  // Exactly none and exactly all, whatever comes.
  if (!(strong_share > 0)) return 2;
  if (strong_share >= 1) return 0;
  const auto& q = model.quantiles;
  double place = (1 - strong_share) * static_cast<double>(q.size() - 1);
  auto below = static_cast<std::size_t>(place);
  auto above = std::min(below + 1, q.size() - 1);
  return q[below] + (q[above] - q[below]) * (place - static_cast<double>(below));
}

std::string to_text(const DifficultyModel& model) {
  auto out = fmt::format("{}\nintercept {}\n", kFileHead, model.intercept);
  for (std::size_t i = 0; i < text_figure_count; ++i) {
    const auto& term = model.terms[i];
    out += fmt::format("{} {} {} {}\n", text_figure_names[i], term.mean, term.deviation, term.weight);
  }
  for (double value : model.quantiles) out += fmt::format("quantile {}\n", value);
  return out;
}

Result<DifficultyModel> parse_difficulty(std::string_view text) {
  if (text.size() > difficulty_file_max)
    return fail(Errc::bad_config, fmt::format("larger than {} bytes", difficulty_file_max));
  ModelLines lines(text);
  DifficultyModel model;
  if (lines.next() != kFileHead) return lines.wrong(kFileHead);
  if (!lines.numbers("intercept", {&model.intercept, 1})) return lines.wrong("intercept X");
  for (std::size_t i = 0; i < text_figure_count; ++i) {
    std::array<double, 3> term{};
    if (!lines.numbers(text_figure_names[i], term) || term[1] <= 0)
      return lines.wrong(fmt::format("{} MEAN DEVIATION WEIGHT", text_figure_names[i]));
    model.terms[i] = {term[0], term[1], term[2]};
  }
  for (std::size_t i = 0; i < kQuantiles; ++i) {
    double value = 0;
    bool sound = lines.numbers("quantile", {&value, 1}) && value >= 0 && value <= 1;
    if (!sound || (i > 0 && value < model.quantiles.back()))
      return lines.wrong(fmt::format("{} ascending lines \"quantile X\", from 0 to 1", kQuantiles));
    model.quantiles.push_back(value);
  }
  if (!lines.empty()) return lines.wrong("nothing more");
  return model;
}

Choice choose(const ChoiceRule& rule, std::string_view text) {
  return {rule.weak, rule.strong, rule.threshold, difficulty_of(*rule.model, text), false};
}

}  // namespace troupe::policy
