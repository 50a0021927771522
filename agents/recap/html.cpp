// Escaping for HTML.
#include "agents/recap/html.hpp"

#include "runtime/json/json.hpp"

namespace troupe::recap {
namespace {

bool printable_in_html(char c) {
  auto u = static_cast<unsigned char>(c);
  return (u >= 0x20 && u != 0x7f) || c == '\n' || c == '\t';
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  if (printable_in_html(c)) {
    out += c;
  } else {
    out += "\xef\xbf\xbd";
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (char c : to_valid_utf8(text)) append_escaped(out, c);
  return out;
}

std::string isolated_html(std::string_view text) { return "<bdi>" + escape_html(text) + "</bdi>"; }

}  // namespace troupe::recap
