// What was asked already, by anyone of a run (RUNTIME 7), and how wide the questions were (MECHANISMS M6).
#pragma once

#include "runtime/json/json.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

struct AskedQuery {
  std::string tool, text;
  /// Telling words in it.
  std::size_t terms = 0;
  /// Which turn of its agent, from 1.
  std::size_t turn = 0;
  /// Passages it showed.
  std::size_t shown = 0;
};

/// The tool whose "query" is words and nothing but words.
inline constexpr std::string_view kWordsTool = "search";

/// 16 hex digits that are the same for calls that ask the same, so that the answer of one can stand for the
/// other's: the tool and all its arguments as canonical JSON (keys sorted, 3.0 as 3). Only of the "query" of
/// `search` it is the telling words, whatever their order, endings, case or punctuation. Pure.
std::string call_hash(std::string_view tool, const Json& input);
/// The words of the call's query, else its JSON.
std::string call_text(const Json& input);

/// First look wide: a query of the first turn with more telling words than this is noted.
inline constexpr std::size_t kWideTermsMax = 8;

/// One agent's calls. Not thread-safe.
class QueryLog {
 public:
  /// Hashes of calls that others of this run made before.
  void know(const std::set<std::string>& others) { others_ = others; }
  enum class Before { never, by_me, by_others };
  Before before(const std::string& hash) const;
  /// Remembers it; its position.
  std::size_t add(const std::string& hash, AskedQuery query);
  void shown(std::size_t position, std::size_t passages) { asked_[position].shown = passages; }
  /// A repeat that was not carried out.
  void repeated() { ++repeats_; }

  const std::vector<AskedQuery>& asked() const { return asked_; }
  const std::set<std::string>& hashes() const { return hashes_; }
  std::size_t repeats() const { return repeats_; }
  /// Queries of the first turn that were not wide.
  std::size_t narrow_first() const;

 private:
  std::vector<AskedQuery> asked_;
  std::set<std::string> hashes_, others_;
  std::size_t repeats_ = 0;
};

}  // namespace troupe::research
