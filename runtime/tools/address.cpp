// Which numeric addresses lead into the open internet.
#include "runtime/tools/fetch.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::tools {
namespace {

using Bytes4 = std::uint32_t;
using Groups = std::array<std::uint16_t, 8>;

/// Four decimal numbers, as resolvers write them; the shorter, octal and
/// hexadecimal forms are no addresses here.
std::optional<Bytes4> address4(std::string_view text) {
  Bytes4 out = 0;
  for (int i = 0; i < 4; ++i) {
    unsigned part = 0;
    auto [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), part);
    auto digits = static_cast<std::size_t>(end - text.data());
    bool padded = digits > 1 && text.front() == '0';
    if (ec != std::errc() || part > 255 || padded)
      return {};
    text.remove_prefix(digits);
    if (i < 3 && !text.starts_with('.'))
      return {};
    if (i < 3)
      text.remove_prefix(1);
    out = out << 8 | part;
  }
  return text.empty() ? std::optional(out) : std::nullopt;
}

/// The groups of a part of an IPv6 address that holds no "::", appended; false
/// when it is malformed.
bool take_groups(std::string_view text, std::array<std::uint16_t, 8> &out,
                 std::size_t &count) {
  while (!text.empty()) {
    auto end = text.find(':');
    auto group = text.substr(0, end);
    if (auto last =
            end == std::string_view::npos ? address4(group) : std::nullopt) {
      if (count > 6)
        return false;
      out[count++] = static_cast<std::uint16_t>(*last >> 16);
      out[count++] = static_cast<std::uint16_t>(*last & 0xffff);
      return true;
    }
    std::uint16_t value = 0;
    auto [stop, ec] =
        std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (ec != std::errc() || stop != group.data() + group.size() ||
        group.size() > 4 || count == 8)
      return false;
    out[count++] = value;
    if (end == std::string_view::npos)
      return true;
    text.remove_prefix(end + 1);
    if (text.empty())
      return false;
  }
  return true;
}

std::optional<Groups> address6(std::string_view text) {
  // A zone names an interface: never public.
  if (text.find('%') != std::string_view::npos)
    return {};
  auto gap = text.find("::");
  Groups head{}, tail{}, out{};
  std::size_t heads = 0, tails = 0;
  if (!take_groups(text.substr(0, gap), head, heads))
    return {};
  if (gap != std::string_view::npos &&
      !take_groups(text.substr(gap + 2), tail, tails))
    return {};
  bool fits = gap == std::string_view::npos ? heads == 8 : heads + tails < 8;
  if (!fits)
    return {};
  for (std::size_t i = 0; i < heads; ++i)
    out[i] = head[i];
  for (std::size_t i = 0; i < tails; ++i)
    out[8 - tails + i] = tail[i];
  return out;
}

struct Block4 {
  Bytes4 base;
  int bits;
};
// IANA IPv4 Special-Purpose Address Registry, multicast and class E.
constexpr std::array<Block4, 16> kNotPublic4 = {{{0x00000000, 8},
                                                 {0x0a000000, 8},
                                                 {0x64400000, 10},
                                                 {0x7f000000, 8},
                                                 {0xa9fe0000, 16},
                                                 {0xac100000, 12},
                                                 {0xc0000000, 24},
                                                 {0xc0000200, 24},
                                                 {0xc0586300, 24},
                                                 {0xc0a80000, 16},
                                                 {0xc6120000, 15},
                                                 {0xc6336400, 24},
                                                 {0xcb007100, 24},
                                                 {0xe0000000, 4},
                                                 {0xf0000000, 4},
                                                 {0xffffffff, 32}}};

bool public4(Bytes4 address) {
  for (auto [base, bits] : kNotPublic4)
    if ((address ^ base) >> (32 - bits) == 0)
      return false;
  return true;
}

Bytes4 joined(std::uint16_t high, std::uint16_t low) {
  return static_cast<Bytes4>(high) << 16 | low;
}

bool public6(const Groups &g) {
  // Only 2000::/3 is handed out; within it are special blocks and forms that
  // carry an IPv4 address.
  bool nat64 =
      g[0] == 0x64 && g[1] == 0xff9b && (g[2] | g[3] | g[4] | g[5]) == 0;
  if (nat64)
    return public4(joined(g[6], g[7]));
  if ((g[0] & 0xe000) != 0x2000)
    return false;
  if (g[0] == 0x2002)
    return public4(joined(g[1], g[2]));
  bool special = g[0] == 0x2001 && (g[1] < 0x0200 || g[1] == 0x0db8);
  bool documentation = g[0] == 0x3fff && g[1] < 0x1000;
  return !special && !documentation;
}

} // namespace

bool is_numeric_host(const std::string &host) {
  return host.find_first_not_of("0123456789.") == std::string::npos ||
         host.find(':') != std::string::npos;
}

bool is_public_address(const std::string &text) {
  if (auto four = address4(text))
    return public4(*four);
  auto six = address6(text);
  return six && public6(*six);
}

} // namespace troupe::tools
