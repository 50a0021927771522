// Splits text into words without regard for language: letters are ASCII letters, digits inside, and all above
// ASCII.
#include "agents/recap/words.hpp"

#include <algorithm>

namespace troupe::recap {
namespace {

constexpr std::size_t kWordBytesMin = 4;

bool is_word_byte(char c) {
  auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         c == '_' || c == '-' || c == '\'';
}

std::string lower_ascii(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Addresses share words like "https" and "com" that say nothing about the subject.
std::string_view skip_link(std::string_view text) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) return text;
  auto end = text.find_first_of(" \n\t)");
  return end == std::string_view::npos ? std::string_view() : text.substr(end);
}

}  // namespace

std::vector<std::string> telling_words(std::string_view text, std::size_t words_max) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < words_max) {
    text = skip_link(text);
    std::size_t length = 0;
    while (length < text.size() && is_word_byte(text[length])) ++length;
    bool digit = length > 0 && text[0] >= '0' && text[0] <= '9';
    if (length >= kWordBytesMin && !digit) out.push_back(lower_ascii(text.substr(0, length)));
    text.remove_prefix(std::min(text.size(), std::max<std::size_t>(1, length)));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

bool addresses(std::string_view text, std::string_view name) {
  if (name.empty()) return false;
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    auto end = at + name.size();
    bool ends =
        end >= text.size() || !is_word_byte(text[end]) || static_cast<unsigned char>(text[end]) >= 0x80;
    if (at > 0 && text[at - 1] == '@' && ends) return true;
    // "ann: yes" and "ann, yes", but not the word "will" in the middle of a sentence.
    if (at == 0 && end < text.size() && (text[end] == ':' || text[end] == ',')) return true;
  }
  return false;
}

}  // namespace troupe::recap
