// Hashing what a call asks.
#include "agents/research/queries.hpp"

#include "agents/research/words.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

namespace troupe::research {
namespace {

// 2^53: beyond it a double is no exact count.
constexpr double kExactMax = 9'007'199'254'740'992.0;

// Keys in order, and 3.0 and 3 as one number.
Json canonical_json(const Json& value) {
  if (value.is_number_float()) {
    auto number = value.get<double>();
    bool whole = std::trunc(number) == number && std::abs(number) <= kExactMax;
    return whole ? Json(static_cast<std::int64_t>(number)) : value;
  }
  if (value.is_array()) {
    Json out = Json::array();
    for (const auto& item : value) out.push_back(canonical_json(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::map<std::string, Json> sorted;
  for (const auto& [key, item] : value.items()) sorted[key] = canonical_json(item);
  Json out = Json::object();
  for (auto& [key, item] : sorted) out[key] = std::move(item);
  return out;
}

}  // namespace

std::string call_text(const Json& input) {
  auto query = get_string(input, "query");
  return one_line(query.empty() ? dump_json(input) : query, 400);
}

std::string call_hash(std::string_view tool, const Json& input) {
  auto asked = input;
  auto query = get_string(input, "query");
  auto words = word_set(query);
  // A query of nothing but common words is still a query of its own. Elsewhere ("query" of SQL) order counts.
  if (tool == kWordsTool && !query.empty())
    asked["query"] = words.empty() ? one_line(query) : fmt::format("{}", fmt::join(words, " "));
  return fmt::format("{:016x}", stable_hash(dump_json(canonical_json(asked)), stable_hash(tool)));
}

QueryLog::Before QueryLog::before(const std::string& hash) const {
  if (hashes_.contains(hash)) return Before::by_me;
  return others_.contains(hash) ? Before::by_others : Before::never;
}

std::size_t QueryLog::add(const std::string& hash, AskedQuery query) {
  hashes_.insert(hash);
  asked_.push_back(std::move(query));
  return asked_.size() - 1;
}

std::size_t QueryLog::narrow_first() const {
  auto narrow = [](const AskedQuery& query) { return query.turn == 1 && query.terms > kWideTermsMax; };
  return static_cast<std::size_t>(std::ranges::count_if(asked_, narrow));
}

}  // namespace troupe::research
