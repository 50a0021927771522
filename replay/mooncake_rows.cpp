#include "replay/mooncake_rows.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <limits>

namespace troupe::replay {
namespace {

std::optional<std::uint64_t> whole_number(const Json& object, std::string_view key, std::uint64_t most) {
  const auto* value = find(object, key);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  auto number = value->get<std::uint64_t>();
  return number <= most ? std::optional(number) : std::nullopt;
}

bool read_blocks(const Json& object, std::vector<std::uint64_t>& blocks) {
  blocks.clear();
  const auto* ids = find(object, "hash_ids");
  if (ids == nullptr) return true;
  if (!ids->is_array() || ids->size() > row_blocks_max) return false;
  for (const auto& id : *ids) {
    if (!id.is_number_unsigned()) return false;
    blocks.push_back(id.get<std::uint64_t>());
  }
  return true;
}

}  // namespace

Result<bool> MooncakeTrace::next(TraceRow& row) {
  std::string_view line;
  do {
    auto got = lines_.next(line);
    if (!got || !*got) return got;
  } while (line.empty());
  return parse(line, row);
}

Result<bool> MooncakeTrace::parse(std::string_view line, TraceRow& row) {
  auto json = parse_json(line);
  if (!json || !json->is_object())
    return lines_.wrong(
        R"(no object like {"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [0]})");
  constexpr std::uint64_t ms_max = std::uint64_t(std::numeric_limits<std::int64_t>::max()) / 2'000'000;
  auto ms = whole_number(*json, "timestamp", ms_max);
  auto input = whole_number(*json, "input_length", row_tokens_max);
  auto output = whole_number(*json, "output_length", row_tokens_max);
  if (!ms) return lines_.wrong("timestamp must be a whole number of milliseconds");
  if (!input || !output)
    return lines_.wrong(
        fmt::format("input_length and output_length must be whole, from 0 to {}", row_tokens_max));
  if (!read_blocks(*json, row.blocks))
    return lines_.wrong(fmt::format("hash_ids must be at most {} whole numbers", row_blocks_max));
  row.input_tokens = static_cast<std::uint32_t>(*input);
  row.output_tokens = static_cast<std::uint32_t>(*output);
  auto time = std::chrono::milliseconds(*ms);
  if (!first_) first_ = time;
  row.at = time - *first_;
  if (row.at < last_) return lines_.wrong("goes back in time; sort the trace by timestamp");
  last_ = row.at;
  return true;
}

}  // namespace troupe::replay
