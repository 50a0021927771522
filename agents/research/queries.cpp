// Hashing what a call asks.
#include "agents/research/queries.hpp"

#include "agents/research/words.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::research {

std::string call_text(const Json& input) {
  auto query = get_string(input, "query");
  return one_line(query.empty() ? dump_json(input) : query, 400);
}

std::string call_hash(std::string_view tool, const Json& input) {
  auto query = get_string(input, "query");
  auto words = word_set(query);
  // A query of nothing but common words is still a query of its own.
  auto asked = query.empty()   ? dump_json(input)
               : words.empty() ? one_line(query)
                               : fmt::format("{}", fmt::join(words, " "));
  return fmt::format("{:016x}", stable_hash(asked, stable_hash(tool)));
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
