// Telling turns from prose.
#include "agents/summary/read_window.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace troupe::summary {
namespace {

constexpr std::size_t kSpeakerBytesMax = 48;
constexpr std::size_t kSpeakerWordsMax = 5;

struct Turn {
  std::string_view who, text;
};

std::string_view stripped(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

// "[14:02]", "(00:12:33)", "14:02:10": what recorders put before a turn.
std::string_view without_clock(std::string_view line) {
  auto end = line.find_first_not_of("0123456789:.[]() ");
  if (end == std::string_view::npos || end < 4) return line;
  auto clock = line.substr(0, end);
  bool digits = std::ranges::count_if(clock, [](unsigned char c) { return std::isdigit(c); }) >= 3;
  return digits && clock.find(':') != std::string_view::npos ? line.substr(end) : line;
}

bool is_speaker(std::string_view name) {
  if (name.empty() || name.size() > kSpeakerBytesMax) return false;
  auto first = static_cast<unsigned char>(name.front());
  if (!std::isalnum(first) && first < 0x80) return false;
  bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) ||
           std::string_view(" ._-'()&/").find(static_cast<char>(c)) != std::string_view::npos;
  });
  auto words = std::ranges::count(name, ' ') + 1;
  return plain && static_cast<std::size_t>(words) <= kSpeakerWordsMax;
}

std::optional<Turn> read_turn(std::string_view line) {
  line = without_clock(stripped(line));
  if (line.starts_with('<')) {
    auto close = line.find('>');
    if (close == std::string_view::npos || !is_speaker(line.substr(1, close - 1))) return std::nullopt;
    return Turn{line.substr(1, close - 1), stripped(line.substr(close + 1))};
  }
  bool bold = line.starts_with("**");
  if (bold) line.remove_prefix(2);
  auto colon = line.find(bold ? ":**" : ":");
  if (colon == std::string_view::npos || !is_speaker(stripped(line.substr(0, colon)))) return std::nullopt;
  auto rest = line.substr(colon + (bold ? 3 : 1));
  // "https://…", "12:30" and "std::move" are no speakers.
  if (!bold && !rest.empty() && rest.front() != ' ' && rest.front() != '\t') return std::nullopt;
  return Turn{stripped(line.substr(0, colon)), stripped(rest)};
}

struct RawLine {
  std::string_view text;
  std::size_t number = 0, offset = 0;
};

std::vector<RawLine> raw_lines(std::string_view text) {
  std::vector<RawLine> out;
  std::size_t offset = 0;
  for (std::size_t number = 1; offset < text.size(); ++number) {
    auto end = std::min(text.find('\n', offset), text.size());
    out.push_back({text.substr(offset, end - offset), number, offset});
    offset = end + 1;
  }
  return out;
}

bool is_conversation(const std::vector<RawLine>& lines) {
  std::size_t turns = 0, filled = 0;
  for (const auto& line : lines) {
    if (stripped(line.text).empty()) continue;
    ++filled;
    turns += read_turn(line.text) ? 1 : 0;
  }
  return turns >= 2 && turns * 4 >= filled;
}

void continue_line(Line& line, std::string_view text) {
  if (!line.text.empty() && !text.empty()) line.text += '\n';
  line.text += text;
}

void add_turns(Window& window, const std::vector<RawLine>& lines) {
  for (const auto& raw : lines) {
    auto turn = read_turn(raw.text);
    auto text = stripped(raw.text);
    if (turn) {
      window.lines.push_back({.id = fmt::format("L{}", raw.number), .who = std::string(turn->who)});
      text = turn->text;
    } else if (window.lines.empty() && !text.empty()) {
      window.lines.push_back({.id = fmt::format("L{}", raw.number)});
    }
    if (!window.lines.empty()) continue_line(window.lines.back(), text);
  }
}

void add_paragraphs(Window& window, const std::vector<RawLine>& lines) {
  bool open = false;
  for (const auto& raw : lines) {
    auto text = stripped(raw.text);
    if (text.empty()) {
      open = false;
      continue;
    }
    if (!open) window.lines.push_back({.id = fmt::format("b{}", raw.offset)});
    open = true;
    continue_line(window.lines.back(), text);
  }
}

}  // namespace

Window read_text_window(std::string_view text, std::string_view file, const SummaryInput& input) {
  Window window;
  window.name = std::string(file);
  // No line of a plain text has a date that could be compared.
  if (!input.from.empty() || !input.to.empty()) {
    window.problems.push_back({window.name, "a plain text has no dates: from and to leave nothing of it"});
    return window;
  }
  auto lines = raw_lines(text);
  is_conversation(lines) ? add_turns(window, lines) : add_paragraphs(window, lines);
  for (auto& line : window.lines) {
    line.who = to_valid_utf8(line.who);
    line.text = to_valid_utf8(line.text);
    for (auto& c : line.text)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = ' ';
  }
  std::erase_if(window.lines,
                [](const Line& line) { return line.text.find_first_not_of(" \n\t") == std::string::npos; });
  return window;
}

}  // namespace troupe::summary
