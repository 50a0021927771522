// What taking talk apart, the pre-pass and a rule-based model are worth on data people have annotated:
// ./dev bench summary. The model picks sentences, it does not write them; no figure here says anything of a
// language model. Weights were chosen on the first half of each set, printed is the other half.
#include "agents/evaluation/bootstrap.hpp"
#include "agents/evaluation/clusters.hpp"
#include "agents/evaluation/rouge.hpp"
#include "agents/summary/disentangle.hpp"
#include "agents/summary/prepass.hpp"
#include "agents/summary/result.hpp"
#include "agents/summary/summary.hpp"
#include "bench/figures.hpp"
#include "bench/irc_logs.hpp"
#include "bench/meetings.hpp"
#include "providers/simulator/extractive.hpp"
#include "tests/support/scripted_driver.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <set>

namespace troupe::bench {
namespace {

using summary::PrepassPolicy;
using Groups = std::vector<std::vector<double>>;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::filesystem::path data_root() {
  const char* data = std::getenv("TROUPE_DATA");
  if (data != nullptr) return data;
  for (std::filesystem::path up = std::filesystem::current_path(); up != up.parent_path();
       up = up.parent_path())
    if (std::filesystem::exists(up / "../shared/data")) return up / "../shared/data";
  return "../shared/data";
}

// ---- taking talk apart (K5) ----

using Way = Grouped (*)(const IrcLog&);

Grouped by_signs(const IrcLog& log) {
  auto found = summary::disentangle(log.window.lines);
  return in_log(log, found.conversation, found.parent);
}

Grouped by_previous_line(const IrcLog& log) {
  std::vector<std::size_t> group(log.window.lines.size(), 0), parent;
  for (std::size_t i = 0; i < group.size(); ++i) parent.push_back(i == 0 ? 0 : i - 1);
  return in_log(log, group, parent);
}

Grouped each_alone(const IrcLog& log) {
  std::vector<std::size_t> group;
  for (std::size_t i = 0; i < log.window.lines.size(); ++i) group.push_back(i);
  return in_log(log, group, group);
}

Grouped by_silence(const IrcLog& log) {
  std::vector<std::size_t> group, parent;
  for (std::size_t i = 0; i < log.window.lines.size(); ++i) {
    bool new_one = i == 0 || log.window.lines[i].at->ms - log.window.lines[i - 1].at->ms > 3 * 60'000;
    parent.push_back(new_one ? i : i - 1);
    group.push_back(new_one ? (i == 0 ? 0 : group.back() + 1) : group.back());
  }
  return in_log(log, group, parent);
}

void print_way(const std::string& name, const std::vector<IrcLog>& logs, Way way) {
  double link = 0, vi = 0, one_to_one = 0, exact = 0, pair = 0;
  for (const auto& log : logs) {
    auto grouped = way(log);
    auto scores = evaluation::score_clusters(log.right, grouped.labels);
    link += evaluation::score_links(log.links, grouped.links).f1;
    vi += scores.vi;
    one_to_one += scores.one_to_one;
    exact += scores.exact_f1;
    pair += scores.pair_f1;
  }
  auto files = static_cast<double>(logs.size());
  print(name + ".link_f1", link / files, "share");
  print(name + ".one_to_one", one_to_one / files, "share");
  print(name + ".vi_scaled", vi / files, "share");
  print(name + ".exact_f1", exact / files, "share");
  print(name + ".pair_f1", pair / files, "share");
}

void measure_disentangling(const std::filesystem::path& root) {
  if (!std::filesystem::exists(root))
    return fmt::print("# {} is not there: K5 NOT measured\n", root.string());
  auto logs = read_irc_logs(root);
  auto half = logs.begin() + static_cast<std::ptrdiff_t>(logs.size() / 2);
  std::vector<IrcLog> chosen_on(logs.begin(), half), reported(half, logs.end());
  print("summary.irc.files", static_cast<double>(reported.size()), "files");
  print_way("summary.irc.signs", reported, by_signs);
  print_way("summary.irc.signs_where_chosen", chosen_on, by_signs);
  print_way("summary.irc.previous_line", reported, by_previous_line);
  print_way("summary.irc.silence_3min", reported, by_silence);
  print_way("summary.irc.each_alone", reported, each_alone);
  auto began = cpu_seconds();
  std::size_t lines = 0;
  for (int repetition = 0; repetition < 20; ++repetition)
    for (const auto& log : logs) lines += summary::disentangle(log.window.lines).parent.size();
  print("summary.irc.signs.rate", static_cast<double>(lines) / (cpu_seconds() - began), "lines/s");
}

// ---- summaries of meetings (K1, K6) ----

struct Made {
  Json summary;
  std::string text;
  std::size_t calls = 0;
  std::int64_t input_tokens = 0;
};

Made summarised(const Meeting& meeting, const MeetingQuery& query, std::size_t prepass_tokens_max) {
  summary::SummaryInput input;
  input.prepass_tokens_max = prepass_tokens_max;
  if (!query.general) input.query = query.query;
  Made out;
  testing::ScriptedDriver driver([&](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    auto completion = providers::simulator::answer(request);
    out.input_tokens += completion.usage.input;
    return completion;
  });
  Workflow wf(driver);
  auto ended = testing::drive(driver, summary::summarise_window(wf, meeting.window, input));
  if (ended && *ended) out.summary = parse_json((*ended)->text).value_or(nullptr);
  for (const auto& point : out.summary["points"]) out.text += get_string(point, "text") + "\n";
  out.calls = driver.bought.size();
  return out;
}

std::size_t word_count(std::string_view text) { return evaluation::rouge_tokens(text, false).size(); }

// The first words of the transcript, or whole sentences of it at random, up to as many words as `words`.
std::string baseline(const Meeting& meeting, std::size_t words, Rng* rng) {
  std::vector<std::string_view> sentences;
  for (const auto& line : meeting.window.lines)
    for (auto sentence : summary::sentences_in(line.text)) sentences.push_back(sentence);
  std::string out;
  std::size_t next = 0;
  for (std::size_t have = 0; have < words && next < sentences.size();) {
    auto sentence = rng != nullptr ? sentences[rng->below(sentences.size())] : sentences[next++];
    have += word_count(sentence);
    out.append(sentence).append("\n");
  }
  return out;
}

struct Rouges {
  Groups one, two, lsum;
  void begin() {
    for (auto* groups : {&one, &two, &lsum}) groups->emplace_back();
  }
  void add(const std::string& reference, const std::string& text) {
    one.back().push_back(evaluation::rouge_n(reference, text, 1, true).f1);
    two.back().push_back(evaluation::rouge_n(reference, text, 2, true).f1);
    lsum.back().push_back(evaluation::rouge_lsum(reference, text, true).f1);
  }
};

void print_interval(const std::string& name, const Groups& groups, std::string_view unit) {
  Rng rng(1);
  print_with_interval(name, evaluation::mean_interval(groups, rng), unit);
}

// The same items on both sides, so their differences say more than two intervals that overlap.
void print_difference(const std::string& name, const Groups& ours, const Groups& other) {
  Groups differences = ours;
  for (std::size_t g = 0; g < ours.size(); ++g)
    for (std::size_t i = 0; i < ours[g].size(); ++i) differences[g][i] -= other[g][i];
  print_interval(name, differences, "difference");
}

void print_rouges(const std::string& name, const Rouges& rouges) {
  print_interval(name + ".rouge1", rouges.one, "f1");
  print_interval(name + ".rouge2", rouges.two, "f1");
  print_interval(name + ".rougeLsum", rouges.lsum, "f1");
}

// How often a point's first words name one who said a source of it; then the same with another's name put in
// their place, which doubtful_people should notice.
struct Attribution {
  std::size_t named = 0, right = 0, swapped = 0, noticed = 0, false_alarms = 0, sources = 0, invalid = 0;

  void add(const Meeting& meeting, const Json& summary) {
    std::set<std::string> ids, people;
    for (const auto& line : meeting.window.lines) ids.insert(line.id), people.insert(line.who);
    for (const auto& point : summary["points"]) {
      std::vector<std::size_t> lines;
      for (const auto& id : point["sources"]) {
        ++sources;
        invalid += ids.contains(id) ? 0 : 1;
        lines.push_back(to_number(id.get<std::string>()));
      }
      check(meeting, get_string(point, "text"), lines, people);
    }
  }

 private:
  void check(const Meeting& meeting, const std::string& text, const std::vector<std::size_t>& lines,
             const std::set<std::string>& people) {
    auto speakers = summary::speakers_of(meeting.window, lines);
    for (const auto& name : people) {
      if (!text.starts_with(name + ":") && !text.starts_with(name + " asks:")) continue;
      ++named;
      right += std::ranges::find(speakers, name) != speakers.end() ? 1 : 0;
      false_alarms += summary::doubtful_people(text, meeting.window, lines).empty() ? 0 : 1;
      for (const auto& other : people) {
        if (std::ranges::find(speakers, other) != speakers.end()) continue;
        ++swapped;
        auto wrong = other + text.substr(name.size());
        noticed += summary::doubtful_people(wrong, meeting.window, lines).empty() ? 0 : 1;
        break;
      }
      return;
    }
  }
};

void print_attribution(const Attribution& found) {
  auto share = [](std::size_t a, std::size_t b) {
    return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
  };
  print("summary.qmsum.sources", static_cast<double>(found.sources), "citations");
  print("summary.qmsum.sources_invalid", static_cast<double>(found.invalid), "citations");
  print("summary.qmsum.speaker_right", share(found.right, found.named), "share");
  print("summary.qmsum.speaker_swaps", static_cast<double>(found.swapped), "points");
  print("summary.qmsum.speaker_swaps_noticed", share(found.noticed, found.swapped), "share");
  print("summary.qmsum.speaker_false_alarms", share(found.false_alarms, found.named), "share");
}

void measure_quality(const std::vector<Meeting>& meetings) {
  Attribution attribution;
  for (bool general : {true, false}) {
    Rouges ours, lead, random;
    double words = 0, calls = 0, queries = 0;
    Rng rng(7);
    for (const auto& meeting : meetings) {
      for (auto* rouges : {&ours, &lead, &random}) rouges->begin();
      for (const auto& query : meeting.queries) {
        if (query.general != general) continue;
        auto made = summarised(meeting, query, summary::SummaryInput{}.prepass_tokens_max);
        auto length = word_count(made.text);
        ours.add(query.answer, made.text);
        lead.add(query.answer, baseline(meeting, length, nullptr));
        random.add(query.answer, baseline(meeting, length, &rng));
        attribution.add(meeting, made.summary);
        words += static_cast<double>(length);
        calls += static_cast<double>(made.calls);
        ++queries;
      }
    }
    std::string kind = general ? "summary.qmsum.general" : "summary.qmsum.specific";
    print(kind + ".queries", queries, "queries");
    print(kind + ".words", words / queries, "words/summary");
    print(kind + ".calls", calls / queries, "calls/summary");
    print_rouges(kind + ".extractive", ours);
    print_rouges(kind + ".lead", lead);
    print_rouges(kind + ".random", random);
    print_difference(kind + ".rouge1.over_lead", ours.one, lead.one);
    print_difference(kind + ".rouge1.over_random", ours.one, random.one);
    print_difference(kind + ".rouge2.over_lead", ours.two, lead.two);
    print_difference(kind + ".rouge2.over_random", ours.two, random.two);
  }
  print_attribution(attribution);
}

// Of the bytes of the turns people answered from, how many are still there.
double relevant_kept(const Meeting& meeting, const MeetingQuery& query, const summary::Prepass& cut) {
  std::vector<std::size_t> kept(meeting.window.lines.size(), 0);
  for (const auto& line : cut.kept) kept[line.line] = line.text.size();
  double all = 0, still = 0;
  for (const auto& [first, last] : query.relevant) {
    for (auto turn = first; turn <= last && turn < kept.size(); ++turn) {
      auto bytes = meeting.window.lines[turn].text.size();
      all += static_cast<double>(bytes);
      still += static_cast<double>(std::min(bytes, kept[turn]));
    }
  }
  return all > 0 ? still / all : -1;
}

struct Curve {
  Groups rouge, relevant, words_known;
  double tokens = 0, words = 0, runs = 0;
};

void add_budget(Curve& curve, const Meeting& meeting, std::size_t budget, PrepassPolicy::Choice choice) {
  for (auto* groups : {&curve.rouge, &curve.relevant, &curve.words_known}) groups->emplace_back();
  for (const auto& query : meeting.queries) {
    PrepassPolicy policy{.choice = choice, .tokens_max = budget, .seed = 5};
    auto cut = summary::prepass(meeting.window.lines, query.general ? "" : query.query, policy);
    Meeting shorter;
    shorter.window.name = meeting.window.name;
    std::string text;
    for (const auto& line : cut.kept) {
      shorter.window.lines.push_back(meeting.window.lines[line.line]);
      shorter.window.lines.back().text = line.text;
      text += line.text + "\n";
    }
    curve.tokens += static_cast<double>(cut.tokens);
    ++curve.runs;
    if (!query.general) {
      auto kept = relevant_kept(meeting, query, cut);
      if (kept >= 0) curve.relevant.back().push_back(kept);
    }
    curve.words_known.back().push_back(evaluation::rouge_n(query.answer, text, 1, true).recall);
    auto made = summarised(shorter, query, 0);
    curve.words += static_cast<double>(word_count(made.text));
    curve.rouge.back().push_back(evaluation::rouge_n(query.answer, made.text, 1, true).f1);
  }
}

Curve curve_at(const std::vector<Meeting>& meetings, std::size_t budget, PrepassPolicy::Choice choice) {
  Curve curve;
  for (const auto& meeting : meetings) add_budget(curve, meeting, budget, choice);
  return curve;
}

void print_curve(const std::string& label, const Curve& curve) {
  print(label + ".tokens", curve.tokens / curve.runs, "tokens");
  print(label + ".words", curve.words / curve.runs, "words/summary");
  print_interval(label + ".relevant_kept", curve.relevant, "share");
  print_interval(label + ".answer_words_kept", curve.words_known, "share");
  print_interval(label + ".rouge1", curve.rouge, "f1");
}

void measure_prepass(const std::vector<Meeting>& meetings) {
  constexpr std::array<std::pair<PrepassPolicy::Choice, const char*>, 3> choices = {
      {{PrepassPolicy::Choice::central, "central"},
       {PrepassPolicy::Choice::lead, "lead"},
       {PrepassPolicy::Choice::random, "random"}}};
  for (std::size_t budget : {500u, 1000u, 2000u, 4000u, 8000u}) {
    std::vector<Curve> curves;
    for (const auto& [choice, name] : choices) {
      curves.push_back(curve_at(meetings, budget, choice));
      print_curve(fmt::format("summary.prepass.{}.{}", name, budget), curves.back());
    }
    for (std::size_t other : {1u, 2u}) {
      auto name = fmt::format("summary.prepass.central_over_{}.{}", choices[other].second, budget);
      print_difference(name + ".relevant_kept", curves[0].relevant, curves[other].relevant);
      print_difference(name + ".rouge1", curves[0].rouge, curves[other].rouge);
    }
  }
  print_curve("summary.prepass.whole", curve_at(meetings, 1'000'000, PrepassPolicy::Choice::central));
  auto began = cpu_seconds();
  std::size_t tokens = 0;
  for (const auto& meeting : meetings)
    tokens += summary::prepass(meeting.window.lines, "", {.tokens_max = 2000}).tokens_before;
  print("summary.prepass.rate", static_cast<double>(tokens) / (cpu_seconds() - began) / 1e6, "Mtokens/s");
}

void measure_meetings(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    return fmt::print("# {} is not there: K1, K6 NOT measured\n", file.string());
  auto meetings = read_meetings(file);
  bool where_chosen = std::getenv("TROUPE_BENCH_FIRST_HALF") != nullptr;
  auto half = meetings.begin() + static_cast<std::ptrdiff_t>(meetings.size() / 2);
  where_chosen ? meetings.erase(half, meetings.end()) : meetings.erase(meetings.begin(), half);
  print("summary.qmsum.meetings", static_cast<double>(meetings.size()), "meetings");
  measure_quality(meetings);
  measure_prepass(meetings);
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "summary")) return 0;
  auto root = troupe::bench::data_root();
  troupe::bench::measure_disentangling(root / "irc_disentanglement");
  troupe::bench::measure_meetings(root / "qmsum/val.jsonl");
}
