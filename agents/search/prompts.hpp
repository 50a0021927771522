// What a search asks of models: what the question means, and an answer from numbered passages.
#pragma once

#include "agents/research/evidence.hpp"
#include "agents/search/understanding.hpp"

#include <troupe/request.hpp>

#include <span>
#include <string>

namespace troupe::search {

/// Asks the cheapest model of the feature's hierarchy for an Understanding. `today` as YYYY-MM-DD: "last
/// week" is counted from it.
CompletionRequest understanding_request(const SearchInput& input, const std::string& today);
/// Asks for an answer of marked statements, "- … [2]", that streams; [n] is the n-th of `sources`. Or for
/// summary::kNotFound alone.
CompletionRequest answer_request(const SearchInput& input, std::span<const research::Passage> sources);

}  // namespace troupe::search
