// The meetings of QMSum as windows, with what people answered and which turns they answered from.
#pragma once

#include "agents/summary/window.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace troupe::bench {

struct MeetingQuery {
  std::string query;
  std::string answer;
  bool general = false;
  /// Turns the answer is taken from, inclusive; empty for general queries.
  std::vector<std::pair<std::size_t, std::size_t>> relevant;
};

struct Meeting {
  summary::Window window;
  std::vector<MeetingQuery> queries;
};

/// Without "{vocalsound}" and its like, white space folded.
inline std::string spoken_text(const std::string& raw) {
  std::string out;
  int depth = 0;
  for (char c : raw) {
    if (c == '{') ++depth;
    if (depth == 0 && (c != ' ' || (!out.empty() && out.back() != ' '))) out += c;
    if (c == '}' && depth > 0) --depth;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

inline std::size_t turn_number(const Json& value) {
  if (value.is_number_integer()) return static_cast<std::size_t>(value.get<std::int64_t>());
  return value.is_string() ? static_cast<std::size_t>(std::atoi(value.get<std::string>().c_str())) : 0;
}

inline void add_queries(Meeting& meeting, const Json& list, bool general) {
  for (const auto& each : list) {
    MeetingQuery query{get_string(each, "query"), get_string(each, "answer"), general, {}};
    if (const auto* spans = find(each, "relevant_text_span"); !general && spans != nullptr) {
      for (const auto& span : *spans)
        if (span.is_array() && span.size() == 2)
          query.relevant.emplace_back(turn_number(span[0]), turn_number(span[1]));
    }
    if (!query.query.empty() && !query.answer.empty()) meeting.queries.push_back(std::move(query));
  }
}

/// Ids are the turns' numbers. Turns without words stay, as a blank, so that numbers remain those of the
/// spans.
inline Meeting read_meeting(const Json& record) {
  Meeting meeting;
  meeting.window.name = "a meeting";
  for (const auto& turn : record["meeting_transcripts"]) {
    auto text = spoken_text(get_string(turn, "content"));
    meeting.window.lines.push_back({.id = fmt::format("{}", meeting.window.lines.size()),
                                    .who = get_string(turn, "speaker"),
                                    .text = text.empty() ? "-" : text});
  }
  add_queries(meeting, record["general_query_list"], true);
  add_queries(meeting, record["specific_query_list"], false);
  return meeting;
}

/// All meetings of the file, ordered by a hash of their records: the first half is for choosing weights.
inline std::vector<Meeting> read_meetings(const std::filesystem::path& file) {
  std::vector<std::pair<std::uint64_t, Meeting>> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    auto record = parse_json(line);
    if (record) found.emplace_back(stable_hash(line), read_meeting(*record));
  }
  std::ranges::sort(found, {}, [](const auto& each) { return each.first; });
  std::vector<Meeting> out;
  for (auto& [hash, meeting] : found) out.push_back(std::move(meeting));
  return out;
}

}  // namespace troupe::bench
