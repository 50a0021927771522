// Escaping character by character; what only a whole report can hold is research's (agents/research/inert).
#include "agents/text/inert.hpp"

#include "agents/text/one_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace troupe::text {
namespace {

struct HiddenRange {
  std::uint32_t first, last;
};
// C1 controls, the Arabic letter mark, zero-width spaces and marks, line and paragraph separators with the
// bidirectional controls, invisible operators and isolates, the byte order mark, interlinear marks, tags.
constexpr std::array kHidden = {HiddenRange{0x80, 0x9f},     HiddenRange{0x61c, 0x61c},
                                HiddenRange{0x180e, 0x180e}, HiddenRange{0x200b, 0x200b},
                                HiddenRange{0x200e, 0x200f}, HiddenRange{0x2028, 0x202e},
                                HiddenRange{0x2060, 0x206f}, HiddenRange{0xfeff, 0xfeff},
                                HiddenRange{0xfff9, 0xfffb}, HiddenRange{0xe0000, 0xe007f}};

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  auto first = static_cast<unsigned char>(text[at]);
  std::size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes == 1 || at + bytes > text.size()) return {first, 1};
  std::uint32_t value = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i)
    value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  return {value, bytes};
}

bool is_hidden(std::uint32_t value) {
  return std::ranges::any_of(kHidden,
                             [value](auto range) { return range.first <= value && value <= range.last; });
}

bool letter_or_digit(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

bool stands_before(std::string_view text, std::size_t at, std::string_view word) {
  if (at < word.size()) return false;
  auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::ranges::equal(text.substr(at - word.size(), word.size()), word, same);
}

// What means something wherever it stands: escapes, code, links, HTML, entities, formulas, addresses.
bool means_something(std::string_view text, std::size_t at) {
  constexpr std::string_view always = "\\`[]<$@";
  char c = text[at];
  if (always.find(c) != std::string_view::npos) return true;
  auto next = at + 1 < text.size() ? text[at + 1] : ' ';
  if (c == '&') return next == '#' || letter_or_digit(text, at + 1);
  if (c == '.') return stands_before(text, at, "www");
  if (c != ':') return false;
  return next == '/' || stands_before(text, at, "mailto") || stands_before(text, at, "xmpp");
}

// What is ours to give in a line that is all somebody else's.
bool means_something_to_a_line(std::string_view text, std::size_t at) {
  constexpr std::string_view always = "*|~>";
  char c = text[at];
  if (always.find(c) != std::string_view::npos) return true;
  if (c == '_') return !(at > 0 && letter_or_digit(text, at - 1) && letter_or_digit(text, at + 1));
  if (at == 0) return c == '#' || c == '+' || c == '-' || c == '=';
  bool numbered = text.substr(0, at).find_first_not_of("0123456789") == std::string_view::npos;
  return (c == '.' || c == ')') && numbered;
}

}  // namespace

// A lone carriage return ends a line for CommonMark, too.
std::string only_visible(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto [value, bytes] = code_point_at(text, i);
    if (value == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') out += '\n';
    } else if (value == '\n') {
      out += '\n';
    } else if (value < 0x20 || value == 0x7f) {
      out += ' ';
    } else if (value < 0x80 || !is_hidden(value)) {
      out += text.substr(i, bytes);
    }
    i += bytes;
  }
  return out;
}

std::string inert_words(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (means_something(text, i)) out += '\\';
    out += text[i];
  }
  return out;
}

std::string inert_line(std::string_view text) {
  auto line = one_line(only_visible(text), text.size());
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (means_something(line, i) || means_something_to_a_line(line, i)) out += '\\';
    out += line[i];
  }
  return out;
}

std::string without_backslashes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool escapes =
        text[i] == '\\' && i + 1 < text.size() && std::ispunct(static_cast<unsigned char>(text[i + 1]));
    out += escapes ? text[++i] : text[i];
  }
  return out;
}

}  // namespace troupe::text
