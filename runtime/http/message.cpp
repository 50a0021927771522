#include "runtime/http/message.hpp"

#include <algorithm>

namespace troupe::http {
namespace {

// ASCII only, whatever the locale: header names are tokens.
char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower_ascii(x) == lower_ascii(y); });
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (same_header_name(key, name)) return &value;
  return nullptr;
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  for (auto& [key, old] : headers) {
    if (!same_header_name(key, name)) continue;
    old = std::move(value);
    return;
  }
  headers.emplace_back(std::string(name), std::move(value));
}

}  // namespace troupe::http
