// What a model answered, read into values before any of it is believed.
#pragma once

#include <troupe/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::recap {

/// A point as the model claims it: the kind is one of ours, the text is bounded, the sources are only strings
/// yet.
struct ClaimedPoint {
  /// "topic", "decision", "question" or "action".
  std::string kind;
  std::string text;
  std::vector<std::string> sources;
};

struct AnswerLimits {
  std::size_t answer_bytes_max = 256u << 10;
  /// What is beyond is not read.
  std::size_t points_max = 64;
  /// A longer text is cut and ends in "…".
  std::size_t text_bytes_max = 600;
  std::size_t sources_max = 24;
};

struct Claims {
  std::vector<ClaimedPoint> points;
  /// Entries that were no points at all or beyond points_max.
  std::size_t skipped = 0;
};

/// Reads {"points":[…]} or {"digest":[…]}. Forgives a code fence or a sentence around the object, single
/// entries that are malformed (skipped and counted), and an unknown kind (a topic). Fails with invalid_input
/// when there is no object or no such list; the message never quotes the answer, which may hold user content.
/// Pure.
Result<Claims> read_claims(std::string_view answer, const AnswerLimits& limits = {});

/// `text` within `bytes_max`, cut at a UTF-8 boundary with "…" when it was longer; white space folded.
std::string bounded_text(std::string_view text, std::size_t bytes_max);

}  // namespace troupe::recap
