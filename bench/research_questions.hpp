// Questions with known answers, how right an answer is, and what chance could have made of a difference.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::bench {

struct KnownQuestion {
  std::string id, source, question;
  std::vector<std::string> answers, gold_titles;
};
/// questions.jsonl; empty when it cannot be read.
std::vector<KnownQuestion> read_questions(const std::string& path);

/// As SQuAD compares (Rajpurkar et al. 2016): lower case, no punctuation, no articles.
bool exact_match(const std::string& answer, const std::vector<std::string>& right);
/// Best F1 of the words over the right answers.
double answer_f1(const std::string& answer, const std::vector<std::string>& right);

struct MeanDifference {
  double mean = 0, low = 0, high = 0;
};
double mean_of(const std::vector<double>& values);
/// Of b - a over the same questions, with the 2.5 % and 97.5 % quantiles of 4,000 resamplings (percentile
/// bootstrap, seed fixed).
MeanDifference paired_bootstrap(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace troupe::bench
