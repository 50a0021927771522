// Looking up what was cited.
#include "agents/recap/quotes.hpp"

#include "agents/recap/answers.hpp"
#include "runtime/base/clock.hpp"

#include <set>

namespace troupe::recap {
namespace {

using CitedKeys = std::set<std::pair<std::string, std::string>>;

void collect_sources(const Json& entry, const std::string& channel, CitedKeys& cited) {
  const auto* sources = find(entry, "sources");
  if (sources == nullptr || !sources->is_array()) return;
  for (const auto& ts : *sources) {
    if (ts.is_string()) cited.emplace(channel, ts.get<std::string>());
  }
}

void collect_digest(const Json* digest, CitedKeys& cited) {
  if (digest == nullptr || !digest->is_array()) return;
  for (const auto& item : *digest) {
    collect_sources(item, get_string(item, "channel"), cited);
    const auto* also = find(item, "also");
    if (also == nullptr || !also->is_array()) continue;
    for (const auto& other : *also) collect_sources(other, get_string(other, "channel"), cited);
  }
}

CitedKeys cited_keys(const Json& recap) {
  CitedKeys cited;
  collect_digest(find(recap, "digest"), cited);
  if (const auto* personal = find(recap, "personal"); personal != nullptr && personal->is_array()) {
    for (const auto& reader : *personal) collect_digest(find(reader, "digest"), cited);
  }
  const auto* channels = find(recap, "channels");
  if (channels == nullptr || !channels->is_array()) return cited;
  for (const auto& channel : *channels) {
    const auto* points = find(channel, "points");
    if (points == nullptr || !points->is_array()) continue;
    for (const auto& point : *points) collect_sources(point, get_string(channel, "name"), cited);
  }
  return cited;
}

}  // namespace

Quotes collect_quotes(const Json& recap, const slack::Workspace& workspace, std::size_t text_bytes_max) {
  auto cited = cited_keys(recap);
  Quotes out;
  for (const auto& day : workspace.days) {
    for (const auto& message : day.messages) {
      auto key = std::pair(day.channel, message.ts);
      if (!cited.contains(key)) continue;
      out[key] = {.user = message.user,
                  .date = to_date(message.time),
                  .clock = to_iso8601(message.time).substr(11, 5),
                  .text = bounded_text(message.text, text_bytes_max),
                  .bot = message.bot,
                  .edited = message.edited};
    }
  }
  return out;
}

const Quote* find_quote(const Quotes& quotes, const std::string& channel, const std::string& ts) {
  auto found = quotes.find({channel, ts});
  return found == quotes.end() ? nullptr : &found->second;
}

}  // namespace troupe::recap
