// Several corpora at once: the one a run was given, and those that every run may search.
#pragma once

#include "runtime/tools/corpus.hpp"

#include <troupe/tool.hpp>

#include <memory>
#include <string>
#include <vector>

namespace troupe::tools {

/// Of [A-Za-z0-9-]; empty for the one whose documents keep their ids.
struct NamedCorpus {
  std::string name;
  std::shared_ptr<const Corpus> corpus;
};

/// "search" over the nameless corpus, "search_NAME" over each other, and one "open_document" for all. A
/// document of a named corpus is known as "corpus:NAME/ID", so that ids of different corpora cannot be taken
/// for each other. None without corpora.
/// `filtering`: searches take a DocumentFilter, too.
std::vector<ToolPtr> make_library_tools(std::vector<NamedCorpus> corpora, bool filtering = false);

}  // namespace troupe::tools
