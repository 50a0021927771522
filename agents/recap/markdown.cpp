// Printing recap.json as Markdown.
#include "agents/recap/markdown.hpp"

#include "agents/recap/answers.hpp"
#include "agents/recap/kinds.hpp"
#include "agents/text/inert.hpp"

#include <fmt/format.h>

namespace troupe::recap {
namespace {

constexpr std::size_t kQuoteBytesMax = 200;

std::string date_range(const Json& recap) {
  auto from = get_string(recap, "from");
  auto to = get_string(recap, "to");
  return from == to ? from : fmt::format("{} to {}", from, to);
}

std::string people_of(const Json& point) {
  std::string out;
  const auto* people = find(point, "people");
  if (people == nullptr || !people->is_array()) return out;
  for (const auto& name : *people) {
    if (!name.is_string()) continue;
    out += out.empty() ? " (" : ", ";
    out += text::inert_line(name.get<std::string>());
  }
  return out.empty() ? out : out + ")";
}

std::string first_quote(const Json& point, const std::string& channel, const Quotes& quotes) {
  const auto* sources = find(point, "sources");
  if (sources == nullptr || !sources->is_array()) return {};
  for (const auto& ts : *sources) {
    const auto* quote = ts.is_string() ? find_quote(quotes, channel, ts.get<std::string>()) : nullptr;
    if (quote == nullptr) continue;
    return fmt::format("  > {}, {}: {}\n", text::inert_line(quote->user), quote->clock,
                       text::inert_line(bounded_text(quote->text, kQuoteBytesMax)));
  }
  return {};
}

std::string channel_section(const Json& channel, const Quotes& quotes) {
  auto name = get_string(channel, "name");
  auto out =
      fmt::format("\n## \\#{}, {}\n\n{} messages, {} threads\n", text::inert_line(name),
                  get_string(channel, "date"), get_int(channel, "messages"), get_int(channel, "threads"));
  const auto* points = find(channel, "points");
  if (points == nullptr || !points->is_array() || points->empty()) return out + "\nNothing to report.\n";
  for (const auto& kind : kPointKinds) {
    std::string list;
    for (const auto& point : *points) {
      if (get_string(point, "kind") != kind.name) continue;
      list += fmt::format("- {}{}\n{}", text::inert_line(get_string(point, "text")), people_of(point),
                          first_quote(point, name, quotes));
    }
    if (!list.empty()) out += fmt::format("\n**{}**\n\n{}", kind.heading, list);
  }
  return out;
}

std::string digest_list(const Json* digest) {
  if (digest == nullptr || !digest->is_array() || digest->empty()) return "Nothing to report.\n";
  std::string out;
  std::size_t number = 0;
  for (const auto& item : *digest) {
    out += fmt::format("{}. {} (\\#{}, {})\n", ++number, text::inert_line(get_string(item, "text")),
                       text::inert_line(get_string(item, "channel")), get_string(item, "date"));
  }
  return out;
}

std::string personal_sections(const Json& recap) {
  std::string out;
  const auto* personal = find(recap, "personal");
  if (personal == nullptr || !personal->is_array()) return out;
  for (const auto& reader : *personal) {
    out += fmt::format("\n## For {}\n\n{}", text::inert_line(get_string(reader, "user")),
                       digest_list(find(reader, "digest")));
  }
  return out;
}

std::string problem_section(const Json& recap) {
  const auto* problems = find(recap, "problems");
  if (problems == nullptr || !problems->is_array() || problems->empty()) return {};
  std::string out = "\n## Problems\n\nThis could not be used; everything else was.\n\n";
  for (const auto& problem : *problems) {
    out += fmt::format("- {}: {}\n", text::inert_line(get_string(problem, "file")),
                       text::inert_line(get_string(problem, "reason")));
  }
  return out;
}

}  // namespace

std::string recap_markdown(const Json& recap, const Quotes& quotes, std::string_view model_note) {
  auto out = fmt::format("# Recap of {}, {}\n\n", text::inert_line(get_string(recap, "workspace")),
                         date_range(recap));
  if (!model_note.empty()) out += fmt::format("> **Note:** {}\n\n", text::inert_line(model_note));
  out += "## In short\n\n" + digest_list(find(recap, "digest")) + personal_sections(recap);
  if (const auto* channels = find(recap, "channels"); channels != nullptr && channels->is_array()) {
    for (const auto& channel : *channels) out += channel_section(channel, quotes);
  }
  return out + problem_section(recap);
}

}  // namespace troupe::recap
