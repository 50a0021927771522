#include "providers/auth/xml.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace troupe::providers {
namespace {

constexpr std::size_t kXmlBytesMax = 64 * 1024, kXmlDepthMax = 16, kXmlElementsMax = 512;
constexpr std::string_view kXmlBlanks = " \t\r\n";

bool is_name_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

// Not to be in XML 1.0 (section 2.2) nor in a credential, be it as itself or as a reference.
bool is_control_character(unsigned char c) {
  return (c < 0x20 && kXmlBlanks.find(static_cast<char>(c)) == std::string_view::npos) || c == 0x7f;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(kXmlBlanks) == std::string_view::npos; }

std::optional<char> character_of(std::string_view entity) {
  if (entity == "amp") return '&';
  if (entity == "lt") return '<';
  if (entity == "gt") return '>';
  if (entity == "quot") return '"';
  if (entity == "apos") return '\'';
  if (!entity.starts_with('#')) return std::nullopt;
  bool hex = entity.starts_with("#x");
  auto digits = entity.substr(hex ? 2 : 1);
  unsigned value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  bool ascii = error == std::errc() && end == digits.data() + digits.size() && value < 127 &&
               !is_control_character(static_cast<unsigned char>(value));
  return ascii ? std::optional(static_cast<char>(value)) : std::nullopt;
}

/// Walks once from the front; every step either consumes something or fails.
class XmlWalk {
 public:
  explicit XmlWalk(std::string_view text) : rest_(text) {}

  bool run() {
    skip_blanks();
    if (rest_.starts_with("<?xml ") && !skip_past("?>")) return false;
    while (!rest_.empty())
      if (!step()) return false;
    return open_.empty() && elements_ > 0;
  }
  std::map<std::string, std::string> leaves;

 private:
  struct Open {
    std::string name;
    std::string text;
    bool has_children = false;
  };

  bool step() {
    if (rest_.starts_with("<!--")) return skip_past("-->");
    if (rest_.starts_with("</")) return close();
    if (rest_.starts_with('<')) return open();
    return take_text();
  }

  bool take_text() {
    auto piece = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(piece.size());
    if (open_.empty()) return is_blank(piece);
    if (std::ranges::any_of(piece, is_control_character)) return false;
    while (!piece.empty()) {
      auto plain = piece.substr(0, piece.find('&'));
      open_.back().text += plain;
      piece.remove_prefix(plain.size());
      if (!piece.empty() && !take_entity(piece)) return false;
    }
    return true;
  }

  bool take_entity(std::string_view& piece) {
    auto end = piece.find(';');
    if (end == std::string_view::npos || end > 10) return false;
    auto character = character_of(piece.substr(1, end - 1));
    if (!character) return false;
    open_.back().text += *character;
    piece.remove_prefix(end + 1);
    return true;
  }

  bool open() {
    rest_.remove_prefix(1);
    auto name = take_name();
    if (name.empty() || open_.size() == kXmlDepthMax || ++elements_ > kXmlElementsMax) return false;
    // Only one root.
    if (open_.empty() && elements_ > 1) return false;
    if (!open_.empty()) open_.back().has_children = true;
    open_.push_back({name, {}, false});
    while (true) {
      skip_blanks();
      if (rest_.starts_with("/>")) {
        rest_.remove_prefix(2);
        return leave();
      }
      if (rest_.starts_with('>')) {
        rest_.remove_prefix(1);
        return true;
      }
      if (!skip_attribute()) return false;
    }
  }

  bool skip_attribute() {
    if (take_name().empty() || !rest_.starts_with('=')) return false;
    rest_.remove_prefix(1);
    if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return false;
    auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos || rest_.substr(0, end).find('<') != std::string_view::npos)
      return false;
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool close() {
    rest_.remove_prefix(2);
    auto name = take_name();
    skip_blanks();
    if (open_.empty() || name != open_.back().name || !rest_.starts_with('>')) return false;
    rest_.remove_prefix(1);
    return leave();
  }

  bool leave() {
    auto path = path_of_open();
    auto ended = std::move(open_.back());
    open_.pop_back();
    if (ended.has_children) return is_blank(ended.text);
    return leaves.emplace(std::move(path), std::move(ended.text)).second;
  }

  std::string path_of_open() const {
    std::string out;
    for (const auto& each : open_) out += (out.empty() ? "" : "/") + each.name;
    return out;
  }
  std::string take_name() {
    auto end = std::ranges::find_if_not(rest_, is_name_character);
    std::string name(rest_.begin(), end);
    rest_.remove_prefix(name.size());
    return name;
  }
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kXmlBlanks), rest_.size())); }
  bool skip_past(std::string_view mark) {
    auto at = rest_.find(mark);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + mark.size());
    return true;
  }

  std::string_view rest_;
  std::vector<Open> open_;
  std::size_t elements_ = 0;
};

}  // namespace

Result<std::map<std::string, std::string>> read_xml_leaves(std::string_view text) {
  if (text.size() > kXmlBytesMax) return fail(Errc::invalid_input, "the XML is too large");
  XmlWalk walk(text);
  if (!walk.run()) return fail(Errc::invalid_input, "not the XML we read");
  return std::move(walk.leaves);
}

}  // namespace troupe::providers
