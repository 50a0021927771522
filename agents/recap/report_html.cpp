// Assembling the page.
#include "agents/recap/report_html.hpp"

#include "agents/recap/html.hpp"
#include "agents/recap/kinds.hpp"
#include "agents/recap/report_made.hpp"
#include "agents/recap/report_style.hpp"
#include "agents/recap/story.hpp"

#include <fmt/format.h>

#include <iterator>
#include <vector>

namespace troupe::recap {
namespace {

// Above this many, open sections make a page nobody scrolls through.
constexpr std::size_t kOpenDaysMax = 12;

const Json& list_at(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const auto* list = find(object, key);
  return list != nullptr && list->is_array() ? *list : empty;
}

std::string counted(std::int64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string page_dates(const Json& recap) {
  auto from = escape_html(get_string(recap, "from"));
  auto to = escape_html(get_string(recap, "to"));
  return from == to ? from : from + " to " + to;
}

std::string blockquote(const Quote& quote, const std::string& place) {
  return fmt::format("<blockquote><b>{}</b><time>{}{} {}</time>{}{}<br>{}</blockquote>",
                     isolated_html(quote.user), place, escape_html(quote.date), escape_html(quote.clock),
                     quote.bot ? "<span class=\"tag\">bot</span>" : "",
                     quote.edited ? "<span class=\"tag\">edited</span>" : "", isolated_html(quote.text));
}

/// The sources of one entry in one channel; `place` is printed before the time when it is not obvious.
struct Cited {
  std::string quotes;
  std::size_t count = 0;
};
void add_cited(Cited& cited, const Json& entry, const std::string& channel, const Quotes& quotes,
               bool say_place) {
  auto place = say_place ? "#" + escape_html(channel) + ", " : std::string();
  for (const auto& ts : list_at(entry, "sources")) {
    if (!ts.is_string()) continue;
    ++cited.count;
    const auto* quote = find_quote(quotes, channel, ts.get<std::string>());
    cited.quotes += quote != nullptr ? blockquote(*quote, place)
                                     : fmt::format("<blockquote>{}{}</blockquote>", place,
                                                   escape_html(ts.get<std::string>()));
  }
}

// One line under a text, "who or where, 2 sources", which unfolds into the quotes.
std::string folded(const std::string& lead, const Cited& cited) {
  if (cited.count == 0) return fmt::format("<div class=\"src\">{}</div>", lead);
  return fmt::format("<details class=\"src\"><summary>{}{}{}</summary>{}</details>", lead,
                     lead.empty() ? "" : ", ", counted(static_cast<std::int64_t>(cited.count), "source"),
                     cited.quotes);
}

std::string day_anchor(const std::string& channel, const std::string& date) {
  return "d-" + escape_html(channel) + "-" + escape_html(date);
}

std::string digest_entry(const Json& item, const Quotes& quotes, bool one_day) {
  auto channel = get_string(item, "channel");
  auto date = get_string(item, "date");
  Cited cited;
  add_cited(cited, item, channel, quotes, false);
  std::string also;
  for (const auto& other : list_at(item, "also")) {
    auto other_channel = get_string(other, "channel");
    fmt::format_to(std::back_inserter(also), ", <a href=\"#{}\">#{}</a>",
                   day_anchor(other_channel, get_string(other, "date")), escape_html(other_channel));
    add_cited(cited, other, other_channel, quotes, true);
  }
  auto lead = fmt::format("<a href=\"#{}\">#{}</a>{}{}", day_anchor(channel, date), escape_html(channel),
                          also, one_day ? "" : ", " + escape_html(date));
  return fmt::format("<li><div class=\"say\">{}</div>{}</li>", isolated_html(get_string(item, "text")),
                     folded(lead, cited));
}

std::string digest_list_html(const Json& digest, const Quotes& quotes, bool one_day) {
  if (digest.empty()) return "<p>Nothing to report.</p>";
  std::string out = "<ol class=\"digest\">";
  for (const auto& item : digest) out += digest_entry(item, quotes, one_day);
  return out + "</ol>";
}

std::string point_entry(const Json& point, const std::string& channel, const Quotes& quotes) {
  Cited cited;
  add_cited(cited, point, channel, quotes, false);
  std::string people;
  for (const auto& name : list_at(point, "people")) {
    if (name.is_string()) people += (people.empty() ? "" : ", ") + isolated_html(name.get<std::string>());
  }
  return fmt::format("<li>{}{}</li>", isolated_html(get_string(point, "text")), folded(people, cited));
}

std::string points_by_kind(const Json& channel, const Quotes& quotes) {
  auto name = get_string(channel, "name");
  std::string out;
  for (const auto& kind : kPointKinds) {
    std::string entries;
    for (const auto& point : list_at(channel, "points")) {
      if (get_string(point, "kind") == kind.name) entries += point_entry(point, name, quotes);
    }
    if (entries.empty()) continue;
    fmt::format_to(std::back_inserter(out), "<h4>{}</h4><ul class=\"points {}\">{}</ul>", kind.heading,
                   kind.name, entries);
  }
  return out.empty() ? "<p class=\"meta\">Nothing to report.</p>" : out;
}

std::string channel_day(const Json& channel, const Quotes& quotes, bool open) {
  auto name = get_string(channel, "name");
  auto date = get_string(channel, "date");
  auto threads = get_int(channel, "threads");
  return fmt::format(
      "<details class=\"day\" id=\"{}\"{}><summary><h3>#{}</h3><span class=\"meta\">{}, {}{}</span></summary>"
      "<div class=\"in\">{}</div></details>",
      day_anchor(name, date), open ? " open" : "", escape_html(name), escape_html(date),
      counted(get_int(channel, "messages"), "message"), threads > 0 ? ", " + counted(threads, "thread") : "",
      points_by_kind(channel, quotes));
}

std::string contents(const Json& channels, bool one_day) {
  std::string out = "<ul class=\"toc\">";
  for (const auto& channel : channels) {
    auto name = get_string(channel, "name");
    auto date = get_string(channel, "date");
    fmt::format_to(std::back_inserter(out), "<li><a href=\"#{}\">#{}{}</a><span>{}</span></li>",
                   day_anchor(name, date), escape_html(name), one_day ? "" : " " + escape_html(date),
                   counted(std::ssize(list_at(channel, "points")), "point"));
  }
  return out + "</ul>";
}

std::string channels_section(const Json& recap, const Quotes& quotes, bool one_day) {
  const auto& channels = list_at(recap, "channels");
  if (channels.empty()) return {};
  auto out = "<h2 id=\"channels\">Channels</h2>" + (channels.size() > 3 ? contents(channels, one_day) : "");
  for (const auto& channel : channels) out += channel_day(channel, quotes, channels.size() <= kOpenDaysMax);
  return out;
}

std::string personal_digests(const Json& recap, const Quotes& quotes, bool one_day) {
  std::string out;
  for (const auto& reader : list_at(recap, "personal")) {
    out += "<h2>For " + isolated_html(get_string(reader, "user")) + "</h2>";
    out += digest_list_html(list_at(reader, "digest"), quotes, one_day);
  }
  return out;
}

std::string problems_table(const Json& recap) {
  const auto& problems = list_at(recap, "problems");
  auto dropped = get_int(recap, "dropped_points");
  std::string out = "<h2 id=\"problems\">Problems</h2>";
  if (problems.empty()) out += "<p>Every file was readable and every answer usable.</p>";
  if (!problems.empty()) {
    out +=
        "<div class=\"scroll\"><table><thead><tr><th>File</th><th "
        "class=\"why\">Reason</th></tr></thead><tbody>";
    for (const auto& problem : problems) {
      fmt::format_to(std::back_inserter(out), "<tr><td>{}</td><td class=\"why\">{}</td></tr>",
                     isolated_html(get_string(problem, "file")),
                     isolated_html(get_string(problem, "reason")));
    }
    out += "</tbody></table></div>";
  }
  if (dropped > 0) {
    out += fmt::format("<p>{} left out because no message of the channel and day supports {}.</p>",
                       dropped == 1 ? "1 claimed point was" : fmt::format("{} claimed points were", dropped),
                       dropped == 1 ? "it" : "them");
  }
  return out;
}

std::string page_head(const Json& recap) {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none';style-src 'unsafe-inline'\"><meta name=\"referrer\" "
      "content=\"no-referrer\">"
      "<title>Recap of {}, {}</title><style>{}</style></head><body><main>",
      escape_html(get_string(recap, "workspace")), page_dates(recap), report_style());
}

std::string page_header(const Json& recap, const Story& story) {
  std::int64_t messages = 0;
  std::int64_t points = 0;
  for (const auto& channel : list_at(recap, "channels")) {
    messages += get_int(channel, "messages");
    points += std::ssize(list_at(channel, "points"));
  }
  auto out = fmt::format(
      "<header><h1>Recap of {}</h1><p>{}. {} in {}, told in {}. Every point shows its sources.</p>",
      isolated_html(get_string(recap, "workspace")), page_dates(recap), counted(messages, "message"),
      counted(std::ssize(list_at(recap, "channels")), "channel-day"), counted(points, "point"));
  if (!story.model_note.empty()) out += "<p class=\"note\">" + isolated_html(story.model_note) + "</p>";
  return out + "</header>";
}

std::string page_footer(const Json& run) {
  return fmt::format(
      "<footer>Made by Troupe. Run {}, started {}. Times are UTC.</footer></main></body></html>\n",
      escape_html(get_string(run, "run_id", "–")), escape_html(get_string(run, "started", "–")));
}

}  // namespace

std::string report_html(const Json& recap, const Json& run, const Json& story, const Quotes& quotes) {
  auto told = read_story(story);
  bool one_day = get_string(recap, "from") == get_string(recap, "to");
  auto out = page_head(recap) + page_header(recap, told);
  out += "<h2 id=\"digest\">In short</h2>" + digest_list_html(list_at(recap, "digest"), quotes, one_day);
  out += personal_digests(recap, quotes, one_day);
  out += channels_section(recap, quotes, one_day);
  out += made_section(run, told);
  out += problems_table(recap);
  return out + page_footer(run);
}

}  // namespace troupe::recap
