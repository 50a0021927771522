// What choosing between a weak and a strong model by the text alone is worth, on recorded answers, and what
// it costs. Questions are split by a stable hash of their text: one half trains, the other is sealed.
//   choice_bench                            time to judge a text
//   choice_bench train DATA.csv OUT [RIDGE] writes a model; the training half alone is looked at
//   choice_bench judge DATA.csv MODEL       the sealed half's figures, as in RESULTS.md
// DATA: prompt, weak right, strong right, ... as RouteLLM's gsm8k_responses.csv.
#include "bench/figures.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/csv.hpp"
#include "runtime/policy/difficulty_fit.hpp"

#include <ctime>
#include <fstream>
#include <iterator>

namespace troupe::policy {
namespace {

/// Over the folds of the training half 1 to 1000 differ by less than their noise (`train` prints them).
constexpr double kRidge = 100;

Result<std::string> file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::input_missing, path + " cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Question {
  std::string text;
  bool weak_right = false, strong_right = false;
};

bool sealed(const Question& question) { return stable_hash(question.text) >> 63 != 0; }

Result<std::vector<Question>> questions_of(const std::string& path, bool sealed_half) {
  auto text = file_text(path);
  if (!text) return std::unexpected(text.error());
  auto rows = parse_csv(*text);
  if (!rows) return std::unexpected(rows.error());
  std::vector<Question> out;
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const auto& fields = (*rows)[i].fields;
    if (fields.size() < 3)
      return fail(Errc::invalid_input, fmt::format("line {}: too few fields", (*rows)[i].line));
    Question question{fields[0], fields[1] == "True", fields[2] == "True"};
    if (sealed(question) == sealed_half) out.push_back(std::move(question));
  }
  return out;
}

std::vector<JudgedText> judged(const std::vector<Question>& questions) {
  std::vector<JudgedText> out;
  for (const auto& each : questions) out.push_back({each.text, each.weak_right, each.strong_right});
  return out;
}

std::vector<JudgedChoice> choices_by(const DifficultyModel& model, std::span<const JudgedText> texts) {
  std::vector<JudgedChoice> out;
  for (const auto& each : texts)
    out.push_back({difficulty_of(model, each.text), each.weak_right, each.strong_right});
  return out;
}

int complain(const Error& error) {
  fmt::print(stderr, "{}\n", error.what);
  return 1;
}

// ---- training ----

// Each fold is judged by a model that has not seen it.
double crossed_area(std::vector<JudgedText> texts, double ridge, std::uint64_t seed) {
  constexpr std::size_t folds = 8;
  Rng rng(seed);
  for (std::size_t i = texts.size(); i > 1; --i) std::swap(texts[i - 1], texts[rng.below(i)]);
  double sum = 0;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<JudgedText> seen, unseen;
    for (std::size_t i = 0; i < texts.size(); ++i) (i % folds == fold ? unseen : seen).push_back(texts[i]);
    auto model = fit_difficulty(seen, ridge);
    sum += model ? ChoiceCurve(choices_by(*model, unseen)).area() : 0.5;
  }
  return sum / folds;
}

int train(const std::string& data, const std::string& out, double ridge) {
  auto questions = questions_of(data, false);
  if (!questions) return complain(questions.error());
  auto texts = judged(*questions);
  for (double each : {1.0, 10.0, 100.0, 1000.0}) {
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) sum += crossed_area(texts, each, seed);
    fmt::print("ridge {:>4}: area {:.3f} over 8 folds of the {} training texts, 5 deals\n", each, sum / 5,
               texts.size());
  }
  auto model = fit_difficulty(texts, ridge);
  if (!model) return complain(model.error());
  std::ofstream file(out, std::ios::binary);
  file << to_text(*model);
  file.close();
  if (!file) return complain(make_error(Errc::internal, out + " cannot be written"));
  for (std::size_t i = 0; i < text_figure_count; ++i)
    fmt::print("{:<13} {:+.3f}\n", text_figure_names[i], model->terms[i].weight);
  return 0;
}

// ---- judging ----

double recovered_at(const ChoiceCurve& curve, double share) { return curve.recovered(share); }
double area_of(const ChoiceCurve& curve, double) { return curve.area(); }
double share_for(const ChoiceCurve& curve, double part) { return curve.share_for(part); }

std::string words(const Interval& figure) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", figure.estimate, figure.low, figure.high);
}

constexpr std::array kShares{0.1, 0.2, 0.3, 0.5, 0.7};

// `read` gives a figure of a curve its interval.
template <class Read>
void print_row(const char* name, const Read& read) {
  fmt::print("| {} |", name);
  for (double share : kShares) fmt::print(" {} |", words(read(recovered_at, share)));
  fmt::print(" {} | {} |\n", words(read(area_of, 0)), words(read(share_for, 0.5)));
}

void print_curves(const DifficultyModel& model, std::span<const JudgedText> texts) {
  auto choices = choices_by(model, texts);
  auto longest = choices;
  for (std::size_t i = 0; i < texts.size(); ++i) longest[i].difficulty = text_figures(texts[i].text)[0];
  ChoiceCurve by_words(longest), by_difficulty(choices);
  fmt::print("| policy | 10 % strong | 20 % | 30 % | 50 % | 70 % | area | share for half |\n");
  fmt::print("|---|---|---|---|---|---|---|---|\n");
  fmt::print("| random mix | 0.100 | 0.200 | 0.300 | 0.500 | 0.700 | 0.500 | 0.500 |\n");
  auto alone = [](const ChoiceCurve& curve) {
    return [&curve](CurveFigure figure, double at) { return bootstrap_choice(curve, figure, at); };
  };
  print_row("most words first", alone(by_words));
  print_row("by difficulty", alone(by_difficulty));
  print_row("difficulty less words", [&](CurveFigure figure, double at) {
    return bootstrap_difference(by_difficulty, by_words, figure, at);
  });
  std::string oracle;
  for (double share : kShares) oracle += fmt::format(" {:.3f} |", oracle_recovered(choices, share));
  fmt::print("| oracle |{} | |\n", oracle);
}

// As it would be live: the threshold comes from the training half, the share is what it comes to.
void print_thresholds(const DifficultyModel& model, std::span<const JudgedText> texts) {
  fmt::print(
      "\n| strong_share | strong calls | right | of the gap | random mix of that share "
      "|\n|---|---|---|---|---|\n");
  double n = static_cast<double>(texts.size()), weak = 0, strong = 0;
  for (const auto& each : texts) weak += each.weak_right, strong += each.strong_right;
  for (double share : {0.0, 0.2, 0.5, 0.8, 1.0}) {
    double threshold = difficulty_threshold(model, share), called = 0, right = 0;
    for (const auto& each : texts) {
      bool hard = difficulty_of(model, each.text) >= threshold;
      called += hard;
      right += hard ? each.strong_right : each.weak_right;
    }
    fmt::print("| {} | {:.3f} | {:.4f} | {:.3f} | {:.3f} |\n", share, called / n, right / n,
               (right - weak) / (strong - weak), called / n);
  }
}

int judge(const std::string& data, const std::string& path) {
  auto text = file_text(path);
  if (!text) return complain(text.error());
  auto model = parse_difficulty(*text);
  if (!model) return complain(model.error());
  auto questions = questions_of(data, true);
  if (!questions) return complain(questions.error());
  auto texts = judged(*questions);
  double n = static_cast<double>(texts.size()), weak = 0, strong = 0, either = 0;
  for (const auto& each : texts) {
    weak += each.weak_right, strong += each.strong_right;
    either += each.weak_right || each.strong_right;
  }
  fmt::print("{} sealed questions: weak {:.4f} right, strong {:.4f}, oracle {:.4f}\n\n", texts.size(),
             weak / n, strong / n, either / n);
  print_curves(*model, texts);
  print_thresholds(*model, texts);
  return 0;
}

// ---- speed ----

void measure() {
  DifficultyModel model;
  model.quantiles.assign(101, 0.5);
  std::string text;
  while (text.size() < 300) text += "Anna buys 3 boxes of 12 pencils, each for $1.50, and gives half away. ";
  std::vector<double> times;
  double sum = 0;
  for (int repetition = 0; repetition < 5; ++repetition) {
    constexpr int calls = 50'000;
    auto began = std::clock();
    for (int i = 0; i < calls; ++i) sum += difficulty_of(model, text);
    times.push_back(static_cast<double>(std::clock() - began) * 1e6 / CLOCKS_PER_SEC / calls);
  }
  if (sum > 0) bench::print_repeated("choice.difficulty", times, "us/text");
}

}  // namespace
}  // namespace troupe::policy

int main(int argc, char** argv) {
  using namespace troupe::policy;
  std::vector<std::string> words(argv + 1, argv + argc);
  bool trains = words.size() >= 3 && words[0] == "train";
  if (trains) return train(words[1], words[2], words.size() > 3 ? std::stod(words[3]) : kRidge);
  if (words.size() == 3 && words[0] == "judge") return judge(words[1], words[2]);
  if (troupe::bench::wanted(argc, argv, "choice")) measure();
  return 0;
}
