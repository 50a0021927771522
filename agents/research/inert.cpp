#include "agents/research/inert.hpp"

#include "agents/research/citation.hpp"
#include "agents/research/words.hpp"
#include "agents/text/inert.hpp"

#include <algorithm>
#include <cctype>

namespace troupe::research {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kHeadingMax = 160;

// The bytes of "- ", "> ", "1. " and their like that lead a line, one within the other.
std::size_t after_block_marks(std::string_view line) {
  std::size_t done = 0;
  for (;;) {
    auto at = std::min(line.find_first_not_of(kBlanks, done), line.size());
    auto digits = at;
    while (digits < line.size() && digits < at + 9 && std::isdigit(static_cast<unsigned char>(line[digits])))
      ++digits;
    auto mark = digits > at ? digits : at;
    if (mark >= line.size()) return at;
    auto c = line[mark];
    bool numbers = digits > at && (c == '.' || c == ')');
    bool lists = digits == at && (c == '-' || c == '*' || c == '+');
    bool spaced = mark + 1 < line.size() && kBlanks.find(line[mark + 1]) != std::string_view::npos;
    if (!(digits == at && c == '>') && !((numbers || lists) && spaced)) return at;
    done = mark + 1;
  }
}

// The words of "## Words", or nothing.
std::string_view heading_words(std::string_view line) {
  auto begin = std::min(line.find_first_not_of('#'), line.size());
  if (begin == 0 || begin > 6 || begin == line.size() || kBlanks.find(line[begin]) == std::string_view::npos)
    return {};
  auto words = line.substr(begin);
  words.remove_prefix(std::min(words.find_first_not_of(kBlanks), words.size()));
  while (!words.empty() && (words.back() == '#' || kBlanks.find(words.back()) != std::string_view::npos))
    words.remove_suffix(1);
  return words.size() <= kHeadingMax ? words : std::string_view{};
}

bool headed_in(std::string_view source, std::string_view words) {
  for (auto at = source.find(words); at != std::string_view::npos; at = source.find(words, at + 1)) {
    auto before = source.substr(0, at).find_last_not_of(" \t\n");
    if (before != std::string_view::npos && source[before] == '#') return true;
  }
  return false;
}

bool a_source_wrote_it(std::string_view words, std::span<const Finding> sources) {
  return std::ranges::any_of(sources, [&](const Finding& source) {
    return headed_in(source.quote, words) || headed_in(source.title, words) || headed_in(source.text, words);
  });
}

// Lines that underline the one above, and fences: "===", "---", "~~~".
bool is_rule(std::string_view rest) {
  if (rest.starts_with("~~~")) return true;
  auto c = rest.empty() ? ' ' : rest.front();
  if (c != '=' && c != '-') return false;
  auto only = std::string{c, ' ', '\t'};
  return rest.find_first_not_of(only) == std::string_view::npos && (c == '=' || rest.size() > 1);
}

std::string inert_report_line(std::string_view line, std::span<const Finding> sources) {
  auto marks = after_block_marks(line);
  auto rest = line.substr(marks);
  bool plain = line.substr(0, marks).find_first_not_of(kBlanks) == std::string_view::npos;
  auto heading = plain ? heading_words(rest) : std::string_view{};
  if (!heading.empty() && !a_source_wrote_it(heading, sources)) {
    auto level = std::clamp<std::size_t>(rest.find_first_not_of('#'), 3, 6);
    return std::string(level, '#') + " " + text::inert_words(heading);
  }
  bool begins_block = rest.starts_with('#') || is_rule(rest);
  // Four blanks would make code of a paragraph; deeper lists keep theirs through the mark behind them.
  auto lead = plain ? std::string_view{} : line.substr(0, marks);
  return std::string(lead) + (begins_block ? "\\" : "") + text::inert_words(rest);
}

}  // namespace

std::string inert_report(std::string_view report, std::span<const Finding> sources) {
  auto text = text::only_visible(without_marks(report));
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size());
    out += inert_report_line(std::string_view(text).substr(begin, end - begin), sources);
    if (end < text.size()) out += '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace troupe::research
