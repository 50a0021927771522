// Small Slack exports made at test time, as a folder and as a stored ZIP written byte by byte.
#pragma once

#include "agents/slack/reader.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace troupe::slack::test {

/// A folder of its own under the system's temporary folder, removed at the end.
class ExportDir {
 public:
  ExportDir();
  ~ExportDir();
  ExportDir(const ExportDir&) = delete;
  ExportDir& operator=(const ExportDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes `text` to `name`, making folders on the way.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// users.json: ann (U1, shown as "Ann"), bob (U2, shown as "bob.b"), deploybot (U3, a bot). channels.json:
/// general (C1; U1, U2), dev (C2; U1, shared).
void write_people(const ExportDir& dir);

/// {"type":"message","user":USER,"ts":TS,"text":TEXT} with `more` spliced in, e.g.
/// R"(,"subtype":"tombstone")".
std::string message(const std::string& user, const std::string& ts, const std::string& text,
                    const std::string& more = {});
std::string array(const std::vector<std::string>& elements);

using ZipFiles = std::vector<std::pair<std::string, std::string>>;
/// The bytes of a ZIP archive with these files, uncompressed (PKWARE APPNOTE 6.3.3, sections 4.3.7
/// to 4.3.16).
std::string stored_zip(const ZipFiles& files);

std::string problems_text(const std::vector<Problem>& problems);

}  // namespace troupe::slack::test
