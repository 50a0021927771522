// Reads the documents of a corpus from disk, naming what cannot be used.
#pragma once

#include "runtime/tools/corpus.hpp"

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace troupe::tools {

struct CorpusFiles {
  std::vector<Document> documents;
  std::vector<CorpusProblem> problems;
  std::size_t problem_count = 0;
};

/// As open_corpus says. Symbolic links and hidden files in a folder are passed over, so that nothing outside
/// it is read; files are taken in the order of their paths.
/// Ids that begin as the program's own do are a problem. `only`, when given:
/// documents with these ids alone, and of a folder no other file is opened.
Result<CorpusFiles> read_corpus_files(const std::filesystem::path& path, const CorpusConfig& config,
                                      const std::set<std::string>* only = nullptr);

}  // namespace troupe::tools
