// What of an answer may stand: statements whose cited passages bear them out, each with the bytes that do.
#pragma once

#include "agents/research/citation.hpp"
#include "agents/research/evidence.hpp"

#include <troupe/tool.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::search {

/// A place in a stored document that shows a claim.
struct Citation {
  /// The source's number in the answer, from 1.
  std::size_t number = 0;
  Span span;
  /// Its bytes.
  std::string quote;
};

struct GroundedClaim {
  std::string text;
  std::vector<Citation> citations;
};

struct Grounding {
  std::vector<GroundedClaim> claims;
  /// Statements that no source bore out, and what the check did to marks.
  std::size_t withdrawn = 0;
  research::CitationCheck check;
};

/// The statements of `answer` whose marks hold, or which a source bears out by rule (see settle_citations);
/// the first `statements_max`. A citation is the sentence of its passage that bears the claim out, or the
/// whole passage where no sentence alone does. Pure.
Grounding ground(std::string_view answer, std::span<const research::Passage> sources,
                 std::size_t statements_max);

}  // namespace troupe::search
