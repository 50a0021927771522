// Printing recap.json as Markdown.
#include "agents/recap/markdown.hpp"

#include "agents/recap/answers.hpp"
#include "agents/recap/kinds.hpp"
#include "agents/recap/prompts.hpp"

#include <fmt/format.h>

#include <cctype>

namespace troupe::recap {
namespace {

constexpr std::size_t kQuoteBytesMax = 200;

bool word_character(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

bool needs_backslash(std::string_view text, std::size_t at) {
  constexpr std::string_view always = "\\`*[]<>&|~";
  char c = text[at];
  if (always.find(c) != std::string_view::npos) return true;
  // Inside a word CommonMark takes "_" literally, and snake_case should stay readable.
  if (c == '_') return !(at > 0 && word_character(text, at - 1) && word_character(text, at + 1));
  // Only at the start of a block do these mean anything.
  if (at == 0) return c == '#' || c == '+' || c == '-' || c == '=';
  bool numbered = text.substr(0, at).find_first_not_of("0123456789") == std::string_view::npos;
  return (c == '.' || c == ')') && numbered;
}

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
    out += escape_markdown(name.get<std::string>());
  }
  return out.empty() ? out : out + ")";
}

std::string first_quote(const Json& point, const std::string& channel, const Quotes& quotes) {
  const auto* sources = find(point, "sources");
  if (sources == nullptr || !sources->is_array()) return {};
  for (const auto& ts : *sources) {
    const auto* quote = ts.is_string() ? find_quote(quotes, channel, ts.get<std::string>()) : nullptr;
    if (quote == nullptr) continue;
    return fmt::format("  > {}, {}: {}\n", escape_markdown(quote->user), quote->clock,
                       escape_markdown(bounded_text(quote->text, kQuoteBytesMax)));
  }
  return {};
}

std::string channel_section(const Json& channel, const Quotes& quotes) {
  auto name = get_string(channel, "name");
  auto out =
      fmt::format("\n## \\#{}, {}\n\n{} messages, {} threads\n", escape_markdown(name),
                  get_string(channel, "date"), get_int(channel, "messages"), get_int(channel, "threads"));
  const auto* points = find(channel, "points");
  if (points == nullptr || !points->is_array() || points->empty()) return out + "\nNothing to report.\n";
  for (const auto& kind : kPointKinds) {
    std::string list;
    for (const auto& point : *points) {
      if (get_string(point, "kind") != kind.name) continue;
      list += fmt::format("- {}{}\n{}", escape_markdown(get_string(point, "text")), people_of(point),
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
    out += fmt::format("{}. {} (\\#{}, {})\n", ++number, escape_markdown(get_string(item, "text")),
                       escape_markdown(get_string(item, "channel")), get_string(item, "date"));
  }
  return out;
}

std::string personal_sections(const Json& recap) {
  std::string out;
  const auto* personal = find(recap, "personal");
  if (personal == nullptr || !personal->is_array()) return out;
  for (const auto& reader : *personal) {
    out += fmt::format("\n## For {}\n\n{}", escape_markdown(get_string(reader, "user")),
                       digest_list(find(reader, "digest")));
  }
  return out;
}

std::string problem_section(const Json& recap) {
  const auto* problems = find(recap, "problems");
  if (problems == nullptr || !problems->is_array() || problems->empty()) return {};
  std::string out = "\n## Problems\n\nThis could not be used; everything else was.\n\n";
  for (const auto& problem : *problems) {
    out += fmt::format("- {}: {}\n", escape_markdown(get_string(problem, "file")),
                       escape_markdown(get_string(problem, "reason")));
  }
  return out;
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  auto line = neutral_line(text);
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (needs_backslash(line, i)) out += '\\';
    out += line[i];
  }
  return out;
}

std::string recap_markdown(const Json& recap, const Quotes& quotes, std::string_view model_note) {
  auto out = fmt::format("# Recap of {}, {}\n\n", escape_markdown(get_string(recap, "workspace")),
                         date_range(recap));
  if (!model_note.empty()) out += fmt::format("> **Note:** {}\n\n", escape_markdown(model_note));
  out += "## In short\n\n" + digest_list(find(recap, "digest")) + personal_sections(recap);
  if (const auto* channels = find(recap, "channels"); channels != nullptr && channels->is_array()) {
    for (const auto& channel : *channels) out += channel_section(channel, quotes);
  }
  return out + problem_section(recap);
}

}  // namespace troupe::recap
