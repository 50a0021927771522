// The eight steps of the algorithm, each a table of endings.
#include "agents/evaluation/porter.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace troupe::evaluation {
namespace {

bool porter_consonant(std::string_view word, std::size_t i) {
  switch (word[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u': return false;
    case 'y': break;
    default: return true;
  }
  // A y is what the letter before it is not; in a row of them they alternate.
  std::size_t row = 0;
  while (i > row && word[i - row - 1] == 'y') ++row;
  bool first = i == row || !porter_consonant(word, i - row - 1);
  return first == (row % 2 == 0);
}

// How often a vowel is followed by a consonant: Porter's m.
std::size_t porter_measure(std::string_view stem) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < stem.size(); ++i)
    count += !porter_consonant(stem, i - 1) && porter_consonant(stem, i) ? 1 : 0;
  return count;
}

bool has_vowel(std::string_view stem) {
  for (std::size_t i = 0; i < stem.size(); ++i)
    if (!porter_consonant(stem, i)) return true;
  return false;
}

bool double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && porter_consonant(word, word.size() - 1);
}

// Consonant, vowel, consonant other than w, x, y at the end: such a stem takes its e back ("hop(e)").
bool short_end(std::string_view word) {
  auto n = word.size();
  if (n == 2) return !porter_consonant(word, 0) && porter_consonant(word, 1);
  if (n < 3) return false;
  bool shape =
      porter_consonant(word, n - 3) && !porter_consonant(word, n - 2) && porter_consonant(word, n - 1);
  return shape && word.back() != 'w' && word.back() != 'x' && word.back() != 'y';
}

using Ending = std::pair<std::string_view, std::string_view>;

// The first ending that fits decides, whether or not the stem is long enough for it.
std::string swap_ending(const std::string& word, std::span<const Ending> endings, std::size_t measure_min) {
  for (const auto& [from, to] : endings) {
    if (!word.ends_with(from)) continue;
    auto stem = word.substr(0, word.size() - from.size());
    return porter_measure(stem) >= measure_min ? stem + std::string(to) : word;
  }
  return word;
}

std::string step_plural(const std::string& word) {
  if (word.ends_with("ies") && word.size() == 4) return word.substr(0, 3);
  constexpr std::array<Ending, 4> endings = {{{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}}};
  return swap_ending(word, endings, 0);
}

std::string mend_stem(const std::string& stem) {
  for (std::string_view end : {"at", "bl", "iz"})
    if (stem.ends_with(end)) return stem + "e";
  bool keeps_double = stem.ends_with('l') || stem.ends_with('s') || stem.ends_with('z');
  if (double_consonant(stem)) return keeps_double ? stem : stem.substr(0, stem.size() - 1);
  return porter_measure(stem) == 1 && short_end(stem) ? stem + "e" : stem;
}

std::string step_past(const std::string& word) {
  if (word.ends_with("ied")) return word.substr(0, word.size() - (word.size() == 4 ? 1 : 2));
  if (word.ends_with("eed")) {
    auto stem = word.substr(0, word.size() - 3);
    return porter_measure(stem) > 0 ? stem + "ee" : word;
  }
  for (std::string_view end : {"ed", "ing"}) {
    if (!word.ends_with(end)) continue;
    auto stem = word.substr(0, word.size() - end.size());
    if (has_vowel(stem)) return mend_stem(stem);
  }
  return word;
}

std::string step_y(const std::string& word) {
  auto n = word.size();
  if (word.ends_with('y') && n > 2 && porter_consonant(word, n - 2)) return word.substr(0, n - 1) + "i";
  return word;
}

std::string step_two(const std::string& word) {
  if (word.ends_with("alli") && porter_measure(word.substr(0, word.size() - 4)) > 0)
    return step_two(word.substr(0, word.size() - 2));
  if (word.ends_with("logi"))
    return porter_measure(word.substr(0, word.size() - 3)) > 0 ? word.substr(0, word.size() - 1) : word;
  constexpr std::array<Ending, 21> endings = {
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
       {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
       {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
       {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
       {"fulli", "ful"}}};
  return swap_ending(word, endings, 1);
}

std::string step_three(const std::string& word) {
  constexpr std::array<Ending, 7> endings = {{{"icate", "ic"},
                                              {"ative", ""},
                                              {"alize", "al"},
                                              {"iciti", "ic"},
                                              {"ical", "ic"},
                                              {"ful", ""},
                                              {"ness", ""}}};
  return swap_ending(word, endings, 1);
}

std::string step_four(const std::string& word) {
  constexpr std::array<std::string_view, 19> endings = {"al",  "ance",  "ence", "er",  "ic",  "able", "ible",
                                                        "ant", "ement", "ment", "ent", "ion", "ou",   "ism",
                                                        "ate", "iti",   "ous",  "ive", "ize"};
  for (auto end : endings) {
    if (!word.ends_with(end)) continue;
    auto stem = word.substr(0, word.size() - end.size());
    bool fits = end != "ion" || stem.ends_with('s') || stem.ends_with('t');
    return fits && porter_measure(stem) > 1 ? stem : word;
  }
  return word;
}

std::string step_five(std::string word) {
  if (word.ends_with('e')) {
    auto stem = word.substr(0, word.size() - 1);
    auto measure = porter_measure(stem);
    if (measure > 1 || (measure == 1 && !short_end(stem))) word = stem;
  }
  if (word.ends_with("ll") && porter_measure(word.substr(0, word.size() - 1)) > 1) word.pop_back();
  return word;
}

std::string_view irregular(std::string_view word) {
  constexpr std::array<Ending, 16> known = {{{"skies", "sky"},
                                             {"sky", "sky"},
                                             {"dying", "die"},
                                             {"lying", "lie"},
                                             {"tying", "tie"},
                                             {"news", "news"},
                                             {"innings", "inning"},
                                             {"inning", "inning"},
                                             {"outings", "outing"},
                                             {"outing", "outing"},
                                             {"cannings", "canning"},
                                             {"canning", "canning"},
                                             {"howe", "howe"},
                                             {"proceed", "proceed"},
                                             {"exceed", "exceed"},
                                             {"succeed", "succeed"}}};
  const auto* found = std::ranges::find(known, word, &Ending::first);
  return found == known.end() ? std::string_view() : found->second;
}

}  // namespace

std::string porter_stem(std::string_view word) {
  if (auto known = irregular(word); !known.empty()) return std::string(known);
  if (word.size() <= 2) return std::string(word);
  auto stem = step_y(step_past(step_plural(std::string(word))));
  return step_five(step_four(step_three(step_two(stem))));
}

}  // namespace troupe::evaluation
