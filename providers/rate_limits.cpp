#include "providers/rate_limits.hpp"

#include "providers/retry_hint.hpp"
#include "providers/rfc3339.hpp"
#include "providers/text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {
namespace {

using policy::LimitHint;
using policy::QuotaHints;

constexpr double kResetSecondsMax = 24.0 * 3600;
constexpr double kCountMax = 1e15;

std::optional<double> count_of(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(value) || value < 0 || value > kCountMax) return std::nullopt;
  return value;
}

Duration reset_after(double whole_seconds) {
  auto clamped = std::clamp(whole_seconds, 0.0, kResetSecondsMax);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(clamped));
}

std::optional<Duration> reset_of(std::string_view text, WallTime sent) {
  if (auto plain = count_of(text)) return *plain > 0 ? std::optional(reset_after(*plain)) : std::nullopt;
  if (auto go = parse_go_duration(text)) return std::min(*go, reset_after(kResetSecondsMax));
  if (auto when = parse_rfc3339(text)) return reset_after(static_cast<double>(when->ms - sent.ms) / 1000);
  return std::nullopt;
}

void fill(LimitHint& hint, std::string_view what, std::string_view text, WallTime sent) {
  if (what == "limit") {
    hint.limit = count_of(text);
    // Nobody has a limit of nothing; some write 0 where they have none.
    if (hint.limit == 0) hint.limit.reset();
  } else if (what == "remaining") {
    hint.remaining = count_of(text);
  } else if (what == "reset") {
    hint.reset = reset_of(text, sent);
  }
}

LimitHint* limit_of(QuotaHints& hints, std::string_view kind) {
  if (kind == "requests") return &hints.requests;
  if (kind == "tokens") return &hints.tokens;
  if (kind == "input-tokens") return &hints.input_tokens;
  if (kind == "output-tokens") return &hints.output_tokens;
  return nullptr;
}

LimitHint* priority_limit_of(QuotaHints& hints, std::string_view kind) {
  if (kind == "input-tokens") return &hints.priority_input_tokens;
  if (kind == "output-tokens") return &hints.priority_output_tokens;
  return nullptr;
}

bool take_prefix(std::string_view& name, std::string_view prefix) {
  bool has = name.size() > prefix.size() && http::same_header_name(name.substr(0, prefix.size()), prefix);
  if (has) name.remove_prefix(prefix.size());
  return has;
}

// "limit-requests"
void read_openai(QuotaHints& hints, std::string_view rest, std::string_view text, WallTime sent) {
  auto name = to_lower(rest);
  auto dash = name.find('-');
  if (dash == std::string::npos) return;
  if (auto* hint = limit_of(hints, std::string_view(name).substr(dash + 1)))
    fill(*hint, name.substr(0, dash), text, sent);
}

// "input-tokens-limit"
void read_anthropic(QuotaHints& hints, bool priority, std::string_view rest, std::string_view text,
                    WallTime sent) {
  auto name = to_lower(rest);
  auto dash = name.rfind('-');
  if (dash == std::string::npos) return;
  auto kind = std::string_view(name).substr(0, dash);
  if (auto* hint = priority ? priority_limit_of(hints, kind) : limit_of(hints, kind))
    fill(*hint, name.substr(dash + 1), text, sent);
}

}  // namespace

QuotaHints read_rate_limits(const http::Headers& headers, WallTime wall) {
  QuotaHints hints;
  std::optional<WallTime> sent;
  for (const auto& [name, text] : headers) {
    std::string_view rest = name;
    bool openai = take_prefix(rest, "x-ratelimit-");
    bool anthropic = !openai && take_prefix(rest, "anthropic-ratelimit-");
    bool priority = !openai && !anthropic && take_prefix(rest, "anthropic-priority-");
    if (!openai && !anthropic && !priority) continue;
    if (!sent) {
      const auto* date = http::find_header(headers, "date");
      sent = (date != nullptr ? parse_http_date(*date) : std::nullopt).value_or(wall);
    }
    if (openai) read_openai(hints, rest, text, *sent);
    if (anthropic || priority) read_anthropic(hints, priority, rest, text, *sent);
  }
  return hints;
}

}  // namespace troupe::providers
