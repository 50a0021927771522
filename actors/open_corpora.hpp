// Corpora that stay open while somebody uses them: a lead and its subagents search the same one.
#pragma once

#include "runtime/tools/corpus.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::actors {

/// Thread-safe.
class OpenCorpora {
 public:
  /// Reads and indexes it (about a second for 10,000 passages), or gives the one that is open if no file of
  /// it has changed since. Fails as tools::open_corpus does.
  Result<std::shared_ptr<tools::Corpus>> open(const std::string& path);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<tools::Corpus>> open_;
  std::shared_ptr<tools::Corpus> last_;
};

}  // namespace troupe::actors
