// Reading the recap's input document.
#include "agents/recap/input.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace troupe::recap {
namespace {

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto comma = text.find(',');
    auto name = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    while (!name.empty() && (name.front() == ' ' || name.front() == '#')) name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) out.emplace_back(name);
  }
  return out;
}

Result<std::vector<std::string>> read_names(const Json& input, const char* key) {
  const auto* value = find(input, key);
  if (value == nullptr || value->is_null()) return std::vector<std::string>{};
  if (value->is_string()) return split_names(value->get<std::string>());
  auto wrong = fmt::format("{}: expected a list of names or \"a,b\"", key);
  if (!value->is_array()) return fail(Errc::invalid_input, wrong);
  std::vector<std::string> out;
  for (const auto& name : *value) {
    if (!name.is_string()) return fail(Errc::invalid_input, wrong);
    out.push_back(name.get<std::string>());
  }
  return out;
}

struct Bounds {
  std::int64_t min;
  std::int64_t max;
};

std::optional<std::int64_t> as_number(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  auto text = value.get<std::string>();
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::int64_t> read_number(const Json& input, const char* key, std::int64_t otherwise, Bounds bounds) {
  const auto* value = find(input, key);
  if (value == nullptr || value->is_null() || *value == "") return otherwise;
  auto number = as_number(*value);
  if (!number || *number < bounds.min || *number > bounds.max)
    return fail(Errc::invalid_input,
                fmt::format("{}: expected a whole number from {} to {}", key, bounds.min, bounds.max));
  return *number;
}

Result<void> read_limits(const Json& json, RecapInput& out) {
  auto parallel = read_number(json, "parallel_max", static_cast<std::int64_t>(out.parallel_max), {1, 1024});
  if (!parallel) return std::unexpected(parallel.error());
  // Below this, a chunk is little but one message; above it, no model's window holds the prompt.
  Bounds chunk_bounds{200, 500'000};
  auto default_tokens = static_cast<std::int64_t>(out.chunks.chunk_tokens_max);
  auto tokens = read_number(json, "chunk_tokens_max", default_tokens, chunk_bounds);
  if (!tokens) return std::unexpected(tokens.error());
  auto default_deadline = std::chrono::duration_cast<std::chrono::seconds>(out.prompts.deadline).count();
  auto deadline = read_number(json, "deadline_s", default_deadline, {1, 86'400});
  if (!deadline) return std::unexpected(deadline.error());
  out.parallel_max = static_cast<std::size_t>(*parallel);
  out.chunks.chunk_tokens_max = static_cast<std::size_t>(*tokens);
  // Points that fit where a transcript of this size fits, and never too few to compare.
  constexpr std::int64_t points_tokens_min = 2000;
  out.chunks.points_tokens_max = static_cast<std::size_t>(std::max(*tokens, points_tokens_min));
  out.chunks.message_tokens_max = std::min(out.chunks.message_tokens_max, out.chunks.chunk_tokens_max);
  out.prompts.deadline = std::chrono::seconds(*deadline);
  return {};
}

}  // namespace

Result<RecapInput> read_recap_input(const JsonText& input) {
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  RecapInput out;
  out.path = get_string(*json, "input");
  if (out.path.empty()) return fail(Errc::invalid_input, "input: expected the path of a Slack export");
  out.read.from = get_string(*json, "from");
  out.read.to = get_string(*json, "to");
  out.read.user = get_string(*json, "user");
  auto channels = read_names(*json, "channels");
  if (!channels) return std::unexpected(channels.error());
  auto users = read_names(*json, "users");
  if (!users) return std::unexpected(users.error());
  out.read.channels = std::move(*channels);
  out.users = std::move(*users);
  out.prompts.tenant = get_string(*json, "tenant", out.prompts.tenant);
  if (auto limits = read_limits(*json, out); !limits) return std::unexpected(limits.error());
  return out;
}

}  // namespace troupe::recap
