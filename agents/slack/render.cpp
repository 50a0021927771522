// One pass over the text; what stands between < and > is decided by its first character, as Slack writes it.
#include "agents/slack/render.hpp"

#include "runtime/base/characters.hpp"

#include <fmt/format.h>

namespace troupe::slack {
namespace {

constexpr std::size_t kNameBytesMax = 80;

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

std::string decode_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t used = 1;
    char c = text.front();
    if (text.starts_with("&amp;")) c = '&', used = 5;
    if (text.starts_with("&lt;")) c = '<', used = 4;
    if (text.starts_with("&gt;")) c = '>', used = 4;
    if (!is_control(c)) out += c;
    text.remove_prefix(used);
  }
  return out;
}

std::string sigil(char mark, std::string_view name) {
  return name.starts_with(mark) ? std::string(name) : fmt::format("{}{}", mark, name);
}

std::string render_special(std::string_view command, const std::string& label) {
  if (command.starts_with("date^")) return label;
  if (!label.empty()) return command.starts_with("subteam^") ? sigil('@', label) : label;
  return fmt::format("@{}", command.substr(0, command.find('^')));
}

std::string render_link(std::string_view target, const std::string& label) {
  auto url = decode_entities(target);
  if (label.empty() || label == url) return url.starts_with("mailto:") ? url.substr(7) : url;
  if (url == "mailto:" + label || url == "http://" + label || url == "tel:" + label) return label;
  return fmt::format("{} ({})", label, url);
}

bool is_link(std::string_view target) {
  return target.find("://") != std::string_view::npos || target.starts_with("mailto:") ||
         target.starts_with("tel:");
}

// What stands between the angle brackets; empty when it is no markup of Slack's.
std::string render_markup(std::string_view inside, const Names& names) {
  auto bar = inside.find('|');
  auto target = inside.substr(0, bar);
  auto label = bar == std::string_view::npos ? std::string() : decode_entities(inside.substr(bar + 1));
  if (target.size() < 2 || target.find('\n') != std::string_view::npos) return {};
  auto id = target.substr(1);
  if (target[0] == '@' || target[0] == '#') {
    auto known = target[0] == '@' ? names.user(id) : names.channel(id);
    if (!known.empty()) return sigil(target[0], known);
    return sigil(target[0], label.empty() ? std::string_view(id) : std::string_view(label));
  }
  if (target[0] == '!') return render_special(id, label);
  return is_link(target) ? render_link(target, label) : std::string();
}

}  // namespace

std::string render_text(std::string_view text, const Names& names) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto open = text.find('<');
    out += decode_entities(text.substr(0, open));
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    auto close = text.find('>');
    auto shown =
        close == std::string_view::npos ? std::string() : render_markup(text.substr(1, close - 1), names);
    out += shown.empty() ? "<" : shown;
    text.remove_prefix(shown.empty() ? 1 : close + 1);
  }
  return out;
}

std::string clean_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    bool space = c == ' ' || c == '\n' || c == '\t' || is_control(c);
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  cut_to(out, kNameBytesMax);
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace troupe::slack
