// Public sets for measuring search, read from a folder outside the repository: questions with the passages
// that answer them, and refiners of queries with their kind.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/corpus.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::bench {

struct DocsQuestion {
  std::string id, text;
  std::set<std::string> gold;
};

/// docs_evaluation_dataset.json and anthropic_docs.json of anthropics/anthropic-cookbook
/// (skills/retrieval_augmented_generation).
struct DocsSet {
  std::vector<tools::Document> documents;
  std::vector<DocsQuestion> questions;
};

/// refiners_categorization.tsv of iai-group/ecir2018-intents.
struct Refiner {
  std::string text, category;
};

inline std::filesystem::path search_data() {
  const char* named = std::getenv("TROUPE_REFDATA");
  if (named != nullptr) return named;
  for (auto up = std::filesystem::current_path(); up != up.parent_path(); up = up.parent_path())
    if (std::filesystem::exists(up / "refdata")) return up / "refdata";
  return "refdata";
}

inline std::optional<Json> read_json_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  auto json = in ? parse_json(text.str()) : Result<Json>(fail(Errc::input_missing, "not there"));
  return json ? std::optional(std::move(*json)) : std::nullopt;
}

/// Nothing when the folder is not there.
inline std::optional<DocsSet> read_docs_set() {
  auto chunks = read_json_file(search_data() / "anthropic_docs/anthropic_docs.json");
  auto asked = read_json_file(search_data() / "anthropic_docs/docs_evaluation_dataset.json");
  if (!chunks || !asked) return std::nullopt;
  DocsSet out;
  for (const auto& chunk : *chunks) {
    auto link = get_string(chunk, "chunk_link");
    out.documents.push_back({.id = link,
                             .title = get_string(chunk, "chunk_heading"),
                             .text = get_string(chunk, "text"),
                             .url = link});
  }
  for (const auto& each : *asked) {
    DocsQuestion question{get_string(each, "id"), get_string(each, "question"), {}};
    for (const auto& link : each["correct_chunks"]) question.gold.insert(link.get<std::string>());
    out.questions.push_back(std::move(question));
  }
  return out;
}

/// Weights and thresholds are chosen on this half; the other is for figures.
inline bool in_dev_half(const std::string& id) { return stable_hash(id) % 2 == 0; }

inline std::vector<Refiner> read_refiners() {
  std::ifstream in(search_data() / "query_intents/refiners_categorization.tsv", std::ios::binary);
  std::vector<Refiner> out;
  std::string line;
  for (std::getline(in, line); std::getline(in, line);) {
    auto first = line.find('\t'), second = line.find('\t', first + 1), third = line.find('\t', second + 1);
    if (third == std::string::npos) continue;
    out.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1, third - second - 1)});
  }
  return out;
}

}  // namespace troupe::bench
