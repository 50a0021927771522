// Which words of a sentence are of the kind that is asked for.
#include "providers/simulator/reading.hpp"
#include "providers/simulator/source_lines.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kSentencesRead = 6;
constexpr double kRankLoss = 0.05;
constexpr double kNearness = 0.4;
constexpr double kPredicateHeld = 0.5;

std::string low(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::set<std::string> words_set(std::string_view text) {
  auto words = reading_words(text);
  return {words.begin(), words.end()};
}

bool holds_any(const std::string& text, std::initializer_list<const char*> cues) {
  return std::ranges::any_of(cues, [&](const char* cue) { return text.find(cue) != std::string::npos; });
}

/// A stretch of a sentence that could be the answer.
struct Stretch {
  std::size_t start = 0, end = 0;
};

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// Runs of digits with their commas and points, and a percent sign.
std::vector<Stretch> numbers_of(std::string_view text) {
  std::vector<Stretch> out;
  for (std::size_t i = 0; i < text.size();) {
    if (!digit(text[i]) || (i > 0 && std::isalpha(static_cast<unsigned char>(text[i - 1])))) {
      ++i;
      continue;
    }
    Stretch at{i, i};
    auto inner = [&] {
      return (text[i] == ',' || text[i] == '.') && i + 1 < text.size() && digit(text[i + 1]);
    };
    while (i < text.size() && (digit(text[i]) || inner())) ++i;
    if (i < text.size() && text[i] == '%') ++i;
    at.end = i;
    out.push_back(at);
  }
  return out;
}

std::vector<Stretch> years_of(std::string_view text) {
  std::vector<Stretch> out;
  for (auto at : numbers_of(text)) {
    auto number = text.substr(at.start, at.end - at.start);
    bool plain = number.size() == 4 && std::ranges::all_of(number, digit);
    if (plain && (number[0] == '1' || number[0] == '2')) out.push_back(at);
  }
  return out;
}

std::vector<Stretch> names_of(std::string_view text) {
  std::vector<Stretch> out;
  for (const auto& name : names_in(text)) {
    auto at = text.find(name);
    if (at != std::string_view::npos) out.push_back({at, at + name.size()});
  }
  return out;
}

// "July 28, 1914" for "1914", when a whole date is asked for.
Stretch whole_date(std::string_view text, Stretch year) {
  static constexpr std::array months = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
  auto from = year.start > 20 ? year.start - 20 : 0;
  auto before = text.substr(from, year.start - from);
  for (const char* month : months) {
    auto at = before.rfind(month);
    if (at == std::string_view::npos) continue;
    auto start = from + at;
    // "28 July 1914"
    if (start >= 2 && text[start - 1] == ' ' && digit(text[start - 2]))
      start -= start >= 3 && digit(text[start - 3]) ? 3 : 2;
    return {start, year.end};
  }
  return year;
}

std::vector<Stretch> candidates(AnswerKind kind, const std::string& question, std::string_view text) {
  if (kind == AnswerKind::number) return numbers_of(text);
  if (kind != AnswerKind::year) return names_of(text);
  auto out = years_of(text);
  bool date = !holds_any(question, {"year"});
  for (auto& year : out) year = date ? whole_date(text, year) : year;
  return out;
}

// The words between the sentence's end of match and the next stop: what is left when nothing is of the kind.
Stretch rest_of(std::string_view sentence, const std::set<std::string>& asked) {
  std::size_t last = 0, position = 0;
  while (position < sentence.size()) {
    auto end = std::min(sentence.find(' ', position), sentence.size());
    for (const auto& word : reading_words(sentence.substr(position, end - position)))
      if (asked.contains(word)) last = end;
    position = end + 1;
  }
  auto begin = std::min(last == 0 ? 0 : last + 1, sentence.size());
  auto stop = sentence.find_first_of(",;.(", begin);
  return {begin, stop == std::string_view::npos ? sentence.size() : stop};
}

// How near the question's words stand, each by the inverse of its distance in bytes of ten.
double nearness(std::string_view sentence, Stretch at, const std::set<std::string>& asked) {
  double sum = 0;
  std::size_t position = 0;
  while (position < sentence.size()) {
    auto end = std::min(sentence.find(' ', position), sentence.size());
    bool hit = false;
    for (const auto& word : reading_words(sentence.substr(position, end - position)))
      hit = hit || asked.contains(word);
    if (hit) {
      auto gap = end <= at.start ? at.start - end : position >= at.end ? position - at.end : 0;
      sum += 1 / (1 + static_cast<double>(gap) / 10);
    }
    position = end + 1;
  }
  return asked.empty() ? 0 : sum / static_cast<double>(asked.size());
}

bool says_something_new(std::string_view text, const std::set<std::string>& asked) {
  auto words = reading_words(text);
  if (words.empty()) return std::ranges::any_of(text, digit);
  return std::ranges::any_of(words, [&](const std::string& word) { return !asked.contains(word); });
}

bool person_like(std::string_view name) { return std::ranges::count(name, ' ') >= 1 && name.size() < 40; }

double kind_bonus(AnswerKind kind, std::string_view sentence, Stretch at) {
  auto text = sentence.substr(at.start, at.end - at.start);
  auto before = low(sentence.substr(at.start > 6 ? at.start - 6 : 0, std::min<std::size_t>(6, at.start)));
  if (kind == AnswerKind::person) return person_like(text) ? 0.15 : 0;
  if (kind == AnswerKind::place) return before.ends_with(" in ") || before.ends_with(" of ") ? 0.15 : 0;
  return 0;
}

ShortAnswer by_nearness(AnswerKind kind, std::string_view question,
                        const std::vector<RankedSentence>& ranked) {
  auto asked = words_set(question);
  auto lowered = low(question);
  ShortAnswer best;
  double most = 0;
  for (std::size_t i = 0; i < ranked.size() && i < kSentencesRead; ++i) {
    const auto& sentence = ranked[i].text;
    for (auto at : candidates(kind, lowered, sentence)) {
      auto text = sentence.substr(at.start, at.end - at.start);
      if (!says_something_new(text, asked)) continue;
      auto score = ranked[i].score - kRankLoss * static_cast<double>(i) +
                   kNearness * nearness(sentence, at, asked) + kind_bonus(kind, sentence, at);
      if (score <= most) continue;
      most = score;
      best = {text, ranked[i].score, i};
    }
  }
  return best;
}

// Each name's best sentence, and whether it says of it what is asked of all.
ShortAnswer yes_or_no(std::string_view question, const std::vector<NumberedSource>& sources,
                      const std::vector<RankedSentence>& ranked) {
  auto names = names_in(question);
  auto predicate = words_set(question);
  for (const auto& name : names)
    for (const auto& word : reading_words(name)) predicate.erase(word);
  ShortAnswer out{"yes", ranked.front().score, 0};
  for (const auto& name : names) {
    double held = 0;
    for (const auto& sentence : ranked) {
      bool about = sources[sentence.source].title.find(name) != std::string::npos ||
                   sentence.text.find(name) != std::string::npos;
      if (!about || predicate.empty()) continue;
      auto words = words_set(sentence.text);
      auto shared = std::ranges::count_if(predicate, [&](const auto& word) { return words.contains(word); });
      held = std::max(held, static_cast<double>(shared) / static_cast<double>(predicate.size()));
    }
    if (held < kPredicateHeld) out.text = "no";
  }
  return out;
}

// "Which was founded first, A or B?": by the earliest year beside each, else by the better sentence.
ShortAnswer choose(std::string_view question, const std::vector<NumberedSource>& sources,
                   const std::vector<RankedSentence>& ranked) {
  auto lowered = low(question);
  bool later = holds_any(lowered, {"younger", "later", "latest", "newer", "most recent"});
  bool by_year = later || holds_any(lowered, {"first", "older", "earlier", "before", "oldest"});
  ShortAnswer best;
  long best_year = 0;
  for (const auto& name : names_in(question)) {
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      const auto& sentence = ranked[i];
      bool about = sources[sentence.source].title.find(name) != std::string::npos ||
                   sentence.text.find(name) != std::string::npos;
      auto years = years_of(sentence.text);
      if (!about || (by_year && years.empty())) continue;
      long year = by_year ? std::stol(sentence.text.substr(years.front().start, 4)) : 0;
      bool better = best.text.empty() || (by_year && (later ? year > best_year : year < best_year)) ||
                    (!by_year && sentence.score > best.score);
      if (better) {
        best = {name, sentence.score, i};
        best_year = year;
      }
      break;
    }
  }
  return best;
}

}  // namespace

AnswerKind answer_kind(std::string_view question) {
  auto text = " " + low(question) + " ";
  auto first = text.substr(1, text.find(' ', 1) - 1);
  static const std::set<std::string> verbs = {"are",  "is",  "was",  "were", "did", "do",
                                              "does", "has", "have", "had",  "can", "will"};
  bool two = names_in(question).size() >= 2;
  if (verbs.contains(first)) return AnswerKind::yes_no;
  if (two && text.find(" or ") != std::string::npos) return AnswerKind::choice;
  if (holds_any(text, {"what year", "which year", " when ", "what date", "which date", "what decade"}))
    return AnswerKind::year;
  if (holds_any(text, {"how many", "how much", "percent", "how long", "how old", "what number", "how far",
                       "population of"}))
    return AnswerKind::number;
  if (holds_any(text, {" who ", " whom ", " whose "})) return AnswerKind::person;
  if (holds_any(text,
                {" where ", "country", " city ", " state ", "nation ", "county", "continent", " town "}))
    return AnswerKind::place;
  return AnswerKind::thing;
}

ShortAnswer short_answer(std::string_view question, const std::vector<NumberedSource>& sources,
                         const std::vector<RankedSentence>& ranked) {
  if (ranked.empty()) return {};
  auto kind = answer_kind(question);
  if (kind == AnswerKind::yes_no) return yes_or_no(question, sources, ranked);
  if (kind == AnswerKind::choice)
    if (auto chosen = choose(question, sources, ranked); !chosen.text.empty()) return chosen;
  auto near = by_nearness(kind, question, ranked);
  if (!near.text.empty()) return near;
  const auto& best = ranked.front().text;
  auto at = rest_of(best, words_set(question));
  return {best.substr(at.start, at.end - at.start), ranked.front().score, 0};
}

}  // namespace troupe::providers::simulator
