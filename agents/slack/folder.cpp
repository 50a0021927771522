// An export as a folder: at most three levels are listed, links are not followed, only regular files are
// opened.
#include "agents/slack/source.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace troupe::slack {
namespace {

namespace fs = std::filesystem;

constexpr int kFolderDepthMax = 3;

class FolderLister {
 public:
  FolderLister(fs::path root, std::size_t files_max, std::vector<Problem>& problems)
      : root_(std::move(root)), files_max_(files_max), problems_(problems) {}

  Result<std::vector<Entry>> list() {
    list_folder("", 1);
    if (entries_.size() > files_max_)
      return fail(Errc::invalid_input, fmt::format("more than {} files", files_max_));
    std::ranges::sort(entries_, {}, &Entry::name);
    return std::move(entries_);
  }

 private:
  void list_folder(const std::string& folder, int depth) {
    std::error_code error;
    fs::directory_iterator it(root_ / folder, error);
    if (error) return problem(folder, fmt::format("folder cannot be read: {}", error.message()));
    for (; !error && it != fs::directory_iterator() && entries_.size() <= files_max_; it.increment(error)) {
      take(*it, folder, depth);
    }
    if (error) problem(folder, fmt::format("folder cannot be read to its end: {}", error.message()));
  }

  void take(const fs::directory_entry& file, const std::string& folder, int depth) {
    auto leaf = file.path().filename().string();
    auto name = folder.empty() ? leaf : folder + "/" + leaf;
    std::error_code error;
    auto status = file.symlink_status(error);
    if (leaf.starts_with('.')) return;
    if (!is_utf8(leaf)) return problem(name, "file name is not valid UTF-8");
    if (fs::is_symlink(status)) return problem(name, "a link; links are not followed");
    if (fs::is_directory(status)) {
      entries_.push_back({.name = name, .folder = true});
      if (depth < kFolderDepthMax) list_folder(name, depth + 1);
    } else if (fs::is_regular_file(status)) {
      entries_.push_back({.name = name, .bytes = file.file_size(error)});
    } else {
      problem(name, "not a regular file");
    }
  }

  void problem(const std::string& file, std::string reason) {
    problems_.push_back({.file = to_valid_utf8(file.empty() ? "." : file), .reason = std::move(reason)});
  }

  fs::path root_;
  std::size_t files_max_;
  std::vector<Problem>& problems_;
  std::vector<Entry> entries_;
};

class FolderSource final : public Source {
 public:
  FolderSource(fs::path root, std::vector<Entry> entries)
      : root_(std::move(root)), entries_(std::move(entries)) {}

  const std::vector<Entry>& entries() const override { return entries_; }

  Result<std::string> read(const Entry& entry, std::size_t bytes_max) override {
    if (entry.bytes > bytes_max) {
      return fail(Errc::invalid_input, fmt::format("{} bytes; at most {} are read", entry.bytes, bytes_max));
    }
    std::ifstream in(root_ / entry.name, std::ios::binary);
    if (!in) return fail(Errc::invalid_input, "file cannot be opened");
    std::string text(entry.bytes, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    if (in.bad()) return fail(Errc::invalid_input, "file cannot be read");
    return text;
  }

 private:
  fs::path root_;
  std::vector<Entry> entries_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_source(const fs::path& path, const ReadOptions& options,
                                            std::vector<Problem>& problems) {
  std::error_code error;
  auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return fail(Errc::input_missing, fmt::format("{}: no such file or folder", path.string()));
  }
  if (error) return fail(Errc::input_missing, fmt::format("{}: {}", path.string(), error.message()));
  if (fs::is_regular_file(status)) return open_archive(path, options, problems);
  if (!fs::is_directory(status)) {
    return fail(Errc::invalid_input, fmt::format("{}: neither a folder nor a ZIP archive", path.string()));
  }
  auto entries = FolderLister(path, options.files_max, problems).list();
  if (!entries) return std::unexpected(entries.error());
  return std::make_unique<FolderSource>(path, std::move(*entries));
}

}  // namespace troupe::slack
