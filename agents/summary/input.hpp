// What a summary is asked for: the workflow's input document as a value.
#pragma once

#include "agents/summary/disentangle.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <cstddef>
#include <string>

namespace troupe::summary {

enum class Format { slack, jsonl, text };

struct SummaryInput {
  /// A file, or for Slack a folder or ZIP.
  std::string path;
  Format format = Format::text;
  /// Slack only: which channel, and which thread of it (the ts of the thread's first message).
  std::string channel, thread;
  /// "YYYY-MM-DD", inclusive, UTC. Lines that carry no time are left out when one of them is set.
  std::string from, to;
  /// A question the summary shall answer; empty: what happened.
  std::string query;

  /// Whether interleaved talk is taken apart first (K5). Only lines with times can be.
  bool disentangle = true;
  DisentanglePolicy conversations;
  /// A transcript of more estimated tokens is cut down to this by extraction before any model reads it (K6);
  /// 0: never.
  std::size_t prepass_tokens_max = 48'000;
  /// What one call reads: a transcript within it is summarised by a single streaming call.
  std::size_t chunk_tokens_max = 16'000;
  /// A line longer than this is cut when printed.
  std::size_t line_tokens_max = 1'500;
  /// Whether a reader of a longer one gets a text of what the pre-pass keeps for one call, while all is read
  /// (K1). It is one call more, which a parallel_max of 1 leaves no room for.
  bool first_look = true;
  std::size_t statements_max = 12;
  std::size_t parallel_max = 16;
  /// Of the whole of a step; a reader waits for it.
  Duration deadline = std::chrono::seconds(120);
  std::string tenant = "default";

  std::size_t file_bytes_max = 256u << 20;
  /// A longer line of a JSONL file is left out and named.
  std::size_t record_bytes_max = 1u << 20;
  std::size_t lines_max = 200'000;
};

/// Reads {"input": path, "format": "slack"|"jsonl"|"text", "channel", "thread", "from", "to", "query",
/// "disentangle": "on"|"off", "prepass_tokens_max", "chunk_tokens_max", "first_look": "on"|"off",
/// "statements_max", "parallel_max", "deadline_s", "tenant"}; only "input" is required. Without a format: a
/// folder or .zip is Slack's, .jsonl and .ndjson are records, all else is text. Numbers may be text (--set
/// gives text), empty text means unset. Fails with invalid_input naming the key; unknown keys are the
/// caller's own and ignored.
Result<SummaryInput> read_summary_input(const JsonText& input);

}  // namespace troupe::summary
