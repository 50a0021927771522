// When an open corpus is still what its files say.
#include "actors/open_corpora.hpp"

#include "actors/edition.hpp"

namespace troupe::actors {

Result<std::shared_ptr<tools::Corpus>> OpenCorpora::open(const std::string& path) {
  auto name = edition_of(path);
  std::lock_guard lock(mutex_);
  std::erase_if(open_, [](const auto& each) { return each.second.expired(); });
  if (auto open = open_[name].lock()) return open;
  auto opened = tools::open_corpus(path);
  if (!opened) return std::unexpected(opened.error());
  open_[name] = *opened;
  // One is kept for the next run of a series.
  last_ = *opened;
  return *opened;
}

}  // namespace troupe::actors
