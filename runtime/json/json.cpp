#include "runtime/json/json.hpp"

#include <fmt/format.h>

namespace troupe {
namespace {

constexpr int kDepthMax = 512;

// Length of the valid UTF-8 sequence at the front of `text`; 0 when there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](std::size_t i, unsigned lo = 0x80, unsigned hi = 0xbf) {
    return i < text.size() && at(i) >= lo && at(i) <= hi;
  };
  unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    bool second = c == 0xe0 ? tail(1, 0xa0) : c == 0xed ? tail(1, 0x80, 0x9f) : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    bool second = c == 0xf0 ? tail(1, 0x90) : c == 0xf4 ? tail(1, 0x80, 0x8f) : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Before parsing, for the library's own guard is a callback per value, which costs more than the parsing of a
// small text. Brackets in strings do not count; a text that is no JSON is the parser's to refuse.
bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepthMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  // The library takes NUL for the end of the text; what stands behind it would go unread.
  if (auto nul = text.find('\0'); nul != std::string_view::npos)
    return fail(Errc::invalid_input, fmt::format("not JSON at byte {}", nul + 1));
  if (nests_too_deep(text))
    return fail(Errc::invalid_input, fmt::format("JSON nested deeper than {} levels", kDepthMax));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return fail(Errc::invalid_input, fmt::format("not JSON at byte {}", error.byte));
  } catch (const Json::exception& error) {
    return fail(Errc::invalid_input, fmt::format("not JSON: error {}", error.id));
  }
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>())
    if (name == key) return &value;
  return nullptr;
}

std::string get_string(const Json& object, std::string_view key, std::string otherwise) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::move(otherwise);
}

std::int64_t get_int(const Json& object, std::string_view key, std::int64_t otherwise) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : otherwise;
}

double get_double(const Json& object, std::string_view key, double otherwise) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_number() ? value->get<double>() : otherwise;
}

bool get_bool(const Json& object, std::string_view key, bool otherwise) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto n = utf8_length(text);
    if (n == 0) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
      continue;
    }
    out += text.substr(0, n);
    text.remove_prefix(n);
  }
  return out;
}

}  // namespace troupe
