// Comparing byte by byte, and judging mark by mark.
#include "agents/research/citation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace troupe::research {
namespace {

constexpr std::size_t kCitedMax = 3;
constexpr double kSharesSome = 0.2;
constexpr std::size_t kNumberDigitsMax = 6;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

struct ReadMark {
  std::vector<std::size_t> numbers;
  std::size_t length = 0;
};

// "[3]" or "[3, 12]" at `at`.
std::optional<ReadMark> mark_at(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] != '[') return std::nullopt;
  ReadMark out;
  auto i = at + 1;
  while (i < text.size()) {
    std::size_t number = 0, digits = 0;
    for (; i < text.size() && is_digit(text[i]) && digits <= kNumberDigitsMax; ++i, ++digits)
      number = number * 10 + static_cast<std::size_t>(text[i] - '0');
    if (digits == 0 || digits > kNumberDigitsMax) return std::nullopt;
    out.numbers.push_back(number);
    if (i < text.size() && text[i] == ']') {
      out.length = i + 1 - at;
      return out;
    }
    if (i >= text.size() || text[i] != ',') return std::nullopt;
    for (++i; i < text.size() && text[i] == ' ';) ++i;
  }
  return std::nullopt;
}

// What leads a line without saying anything: "- ", "* ", "1. ", "> ".
std::size_t after_list_mark(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && line[i] == ' ') ++i;
  auto begin = i;
  while (i < line.size() && is_digit(line[i])) ++i;
  if (i > begin && i + 1 < line.size() && line[i] == '.' && line[i + 1] == ' ') return i + 2;
  i = begin;
  while (i < line.size() && (line[i] == '-' || line[i] == '*' || line[i] == '>') && i + 1 < line.size() &&
         line[i + 1] == ' ')
    i += 2;
  return i;
}

bool is_heading(std::string_view line) {
  auto first = line.find_first_not_of(' ');
  return first != std::string_view::npos && line[first] == '#';
}

void add_claims(std::string_view report, Stretch line, std::vector<Claim>& out) {
  auto text = report.substr(line.start, line.end - line.start);
  if (is_heading(text)) return;
  auto skip = after_list_mark(text);
  for (auto sentence : sentences_of(text.substr(skip))) {
    Stretch at{line.start + skip + sentence.start, line.start + skip + sentence.end};
    if (telling_words(report.substr(at.start, at.end - at.start)).empty()) continue;
    if (out.size() == kClaimsMax) {
      out.back().at.end = at.end;
      out.back().text = std::string(report.substr(out.back().at.start, at.end - out.back().at.start));
    } else {
      out.push_back({at, std::string(report.substr(at.start, at.end - at.start)), {}});
    }
  }
}

template <class F>
void for_each_line(std::string_view text, F&& use) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    auto end = std::min(text.find('\n', begin), text.size());
    use(Stretch{begin, end});
    begin = end + 1;
  }
}

std::string shown_by(const Finding& source) { return source.title + " " + source.quote; }

std::string together(std::span<const std::size_t> numbers, std::span<const Finding> sources) {
  std::string out;
  for (auto number : numbers) out += shown_by(sources[number - 1]) + "\n";
  return out;
}

bool holds(const Claim& claim, std::span<const std::size_t> numbers, std::span<const Finding> sources) {
  return !numbers.empty() && support(claim.text, together(numbers, sources)) >= kClaimSupport;
}

// A mark belongs to the claim it stands in or directly behind.
bool belongs(const Mark& mark, const Claim& claim, std::span<const Claim> claims) {
  if (mark.at <= claim.at.start) return false;
  if (mark.at <= claim.at.end) return true;
  auto later = [&](const Claim& other) {
    return other.at.start > claim.at.start && other.at.start < mark.at;
  };
  return std::ranges::none_of(claims, later);
}

std::vector<std::size_t> marks_that_hold(const Claim& claim, std::span<const std::size_t> asked,
                                         std::span<const Finding> sources, CitationCheck& check) {
  std::vector<std::size_t> out;
  for (auto number : asked) {
    if (number == 0 || number > sources.size()) {
      ++check.fake;
      continue;
    }
    if (std::ranges::find(out, number) != out.end()) continue;
    if (coverage(claim.text, shown_by(sources[number - 1])) >= kSharesSome) {
      out.push_back(number);
    } else {
      ++check.unsupported;
    }
  }
  if (out.empty() || holds(claim, out, sources)) return out;
  check.unsupported += out.size();
  return {};
}

// Greedily, the source that adds most each time.
std::vector<std::size_t> citations_by_rule(const Claim& claim, std::span<const Finding> sources) {
  std::vector<std::size_t> out;
  while (out.size() < kCitedMax && !holds(claim, out, sources)) {
    std::size_t best = 0;
    double most = out.empty() ? 0 : coverage(claim.text, together(out, sources));
    for (std::size_t number = 1; number <= sources.size(); ++number) {
      auto with = out;
      with.push_back(number);
      auto held = coverage(claim.text, together(with, sources));
      if (held <= most) continue;
      most = held;
      best = number;
    }
    if (best == 0) break;
    out.push_back(best);
  }
  if (!holds(claim, out, sources)) out.clear();
  return out;
}

}  // namespace

std::vector<Claim> claims_of(std::string_view report) {
  std::vector<Claim> out;
  for_each_line(report, [&](Stretch line) { add_claims(report, line, out); });
  return out;
}

std::string without_marks(std::string_view report) {
  std::string out;
  for (std::size_t i = 0; i < report.size();) {
    if (auto mark = mark_at(report, i)) {
      out += "(" + std::string(report.substr(i + 1, mark->length - 2)) + ")";
      i += mark->length;
    } else {
      out += report[i++];
    }
  }
  return out;
}

Result<std::vector<Mark>> read_marks(std::string_view plain, std::string_view marked) {
  std::vector<Mark> out;
  std::size_t i = 0, j = 0;
  while (j < marked.size()) {
    auto blank = marked[j] == ' ' ? std::size_t{1} : std::size_t{0};
    if (auto mark = mark_at(marked, j + blank)) {
      out.push_back({i, std::move(mark->numbers)});
      j += blank + mark->length;
    } else if (i < plain.size() && plain[i] == marked[j]) {
      ++i;
      ++j;
    } else {
      return fail(Errc::invalid_input, fmt::format("it departs from the report at byte {}", i));
    }
  }
  if (i < plain.size())
    return fail(Errc::invalid_input, fmt::format("the report's end from byte {} is missing", i));
  return out;
}

void settle_citations(std::vector<Claim>& claims, std::span<const Mark> marks,
                      std::span<const Finding> sources, CitationCheck& check) {
  for (auto& claim : claims) {
    std::vector<std::size_t> asked;
    for (const auto& mark : marks) {
      if (belongs(mark, claim, claims)) asked.insert(asked.end(), mark.numbers.begin(), mark.numbers.end());
    }
    claim.cited = marks_that_hold(claim, asked, sources, check);
    if (!claim.cited.empty()) continue;
    claim.cited = citations_by_rule(claim, sources);
    check.added += claim.cited.size();
    check.claims_without += claim.cited.empty() ? 1 : 0;
  }
}

std::string printed(const Claim& claim) {
  auto out = claim.text;
  if (claim.cited.empty()) out += " (unsupported)";
  for (std::size_t i = 0; i < claim.cited.size(); ++i)
    out += fmt::format("{}[{}]", i == 0 ? " " : "", claim.cited[i]);
  return out;
}

std::string tidied_report(const std::string& report) {
  std::vector<std::string> lines;
  for_each_line(report, [&](Stretch at) { lines.push_back(report.substr(at.start, at.end - at.start)); });
  auto says = [](const std::string& line) { return !telling_words(line).empty(); };
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bool bare_mark = !lines[i].empty() && !is_heading(lines[i]) && !says(lines[i]);
    if (bare_mark && lines[i].find_first_not_of(" -*>") == std::string::npos) continue;
    auto next = i + 1;
    while (next < lines.size() && lines[next].find_first_not_of(" -*>") == std::string::npos) ++next;
    bool heads_nothing = is_heading(lines[i]) && (next == lines.size() || is_heading(lines[next]));
    if (!heads_nothing) out += lines[i] + "\n";
  }
  while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
  return out;
}

std::string write_report(std::string_view report, std::span<const Claim> claims, bool mark_unsupported) {
  std::string out;
  std::size_t done = 0;
  for (const auto& claim : claims) {
    out += report.substr(done, claim.at.start - done);
    done = claim.at.end;
    if (claim.cited.empty() && (!mark_unsupported || claim.withdrawn)) continue;
    out += printed(claim);
  }
  out += report.substr(done);
  return tidied_report(out);
}

}  // namespace troupe::research
