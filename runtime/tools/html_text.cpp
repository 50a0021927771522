#include "runtime/tools/html_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::array<std::string_view, 6> kUnread = {"script",   "style", "template",
                                                     "noscript", "svg",   "iframe"};
constexpr std::array<std::string_view, 27> kBlocks = {
    "address", "article", "aside", "blockquote", "br", "dd",  "div",   "dl", "dt",
    "figure",  "footer",  "form",  "h1",         "h2", "h3",  "h4",    "h5", "h6",
    "hr",      "li",      "ol",    "section",    "p",  "pre", "table", "tr", "ul"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kReferences = {{{"amp", "&"},
                                                                                        {"lt", "<"},
                                                                                        {"gt", ">"},
                                                                                        {"quot", "\""},
                                                                                        {"apos", "'"},
                                                                                        {"nbsp", " "},
                                                                                        {"ndash", "\u2013"},
                                                                                        {"mdash", "\u2014"},
                                                                                        {"hellip", "\u2026"},
                                                                                        {"lsquo", "\u2018"},
                                                                                        {"rsquo", "\u2019"},
                                                                                        {"ldquo", "\u201c"},
                                                                                        {"rdquo", "\u201d"},
                                                                                        {"copy", "\u00a9"},
                                                                                        {"eacute", "\u00e9"},
                                                                                        {"euro", "\u20ac"}}};

bool html_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
char html_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_one_of(const auto& list, std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

std::string utf8_of(std::uint32_t code) {
  if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return "\ufffd";
  auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | (code >> 6)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | (code >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | (code >> 18)), tail(12), tail(6), tail(0)};
}

/// The value of "#233" or "#xe9".
std::optional<std::uint32_t> numeric_reference(std::string_view name) {
  name.remove_prefix(1);
  bool hex = !name.empty() && html_lower(name.front()) == 'x';
  if (hex) name.remove_prefix(1);
  if (name.empty() || name.size() > 7) return {};
  std::uint32_t value = 0;
  for (char given : name) {
    char c = html_lower(given);
    bool digit = c >= '0' && c <= '9', letter = hex && c >= 'a' && c <= 'f';
    if (!digit && !letter) return {};
    value = value * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

/// Reads a page from front to back.
class HtmlReader {
 public:
  explicit HtmlReader(std::string_view html) : html_(html) {}

  PageText read() {
    while (at_ < html_.size()) step();
    trim(page_.text);
    trim(page_.title);
    return std::move(page_);
  }

 private:
  void step() {
    char c = html_[at_];
    if (c == '<') return tag();
    if (c == '&') return reference();
    ++at_;
    if (html_space(c) && !preformatted_) return space();
    put(std::string_view(&c, 1));
  }

  void tag() {
    if (html_.substr(at_, 4) == "<!--") return skip_past("-->");
    bool closing = html_.substr(at_, 2) == "</";
    std::size_t name_at = at_ + (closing ? 2 : 1);
    char first = name_at < html_.size() ? html_lower(html_[name_at]) : '\0';
    if (first == '!' || first == '?') return skip_past(">");
    if (first < 'a' || first > 'z') {
      ++at_;
      return put("<");
    }
    std::string name;
    for (auto i = name_at; i < html_.size() && !html_space(html_[i]) && html_[i] != '>' && html_[i] != '/';
         ++i)
      name += html_lower(html_[i]);
    skip_tag();
    on_tag(name, closing);
  }

  void on_tag(const std::string& name, bool closing) {
    if (!closing && is_one_of(kUnread, name)) return skip_element(name);
    if (name == "title") in_title_ = !closing && page_.title.empty();
    if (name == "pre") preformatted_ = !closing;
    if (is_one_of(kBlocks, name)) line();
    if (name == "td" || name == "th") space();
  }

  /// To the end of the tag; a ">" in a quoted value does not end it.
  void skip_tag() {
    char quote = '\0';
    for (; at_ < html_.size(); ++at_) {
      char c = html_[at_];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        break;
      }
    }
    at_ = std::min(at_ + 1, html_.size());
  }

  void skip_past(std::string_view mark) {
    auto found = html_.find(mark, at_);
    at_ = found == std::string_view::npos ? html_.size() : found + mark.size();
  }

  /// To the tag that closes it, whatever stands between; each byte is looked at once.
  void skip_element(const std::string& name) {
    for (; at_ < html_.size(); ++at_) {
      if (html_.substr(at_, 2) != "</") continue;
      auto found = html_.substr(at_ + 2, name.size());
      if (std::ranges::equal(found, name, {}, html_lower)) return skip_tag();
    }
  }

  void reference() {
    auto rest = html_.substr(at_ + 1, 10);
    auto end = rest.find(';');
    auto name = rest.substr(0, end == std::string_view::npos ? 0 : end);
    std::string resolved;
    if (name.starts_with('#')) {
      if (auto code = numeric_reference(name)) resolved = utf8_of(*code);
    } else if (auto known = std::ranges::find(kReferences, name, &decltype(kReferences)::value_type::first);
               known != kReferences.end()) {
      resolved = known->second;
    }
    at_ += resolved.empty() ? 1 : name.size() + 2;
    if (resolved == " ") return space();
    put(resolved.empty() ? "&" : std::string_view(resolved));
  }

  std::string& target() { return in_title_ ? page_.title : page_.text; }
  void put(std::string_view text) { target() += text; }
  void space() {
    auto& text = target();
    if (!text.empty() && !html_space(text.back())) text += ' ';
  }
  void line() {
    auto& text = target();
    while (!text.empty() && text.back() == ' ') text.pop_back();
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  static void trim(std::string& text) {
    while (!text.empty() && html_space(text.back())) text.pop_back();
    auto first = std::ranges::find_if_not(text, html_space);
    text.erase(text.begin(), first);
  }

  std::string_view html_;
  std::size_t at_ = 0;
  bool in_title_ = false, preformatted_ = false;
  PageText page_;
};

}  // namespace

PageText html_text(std::string_view html) { return HtmlReader(html).read(); }

}  // namespace troupe::tools
