// An export as the ZIP Slack gives. The one home of libzip; sizes an archive declares are not believed.
#include "agents/slack/source.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <fstream>

namespace troupe::slack {
namespace {

constexpr std::size_t kPieceBytes = 64u << 10;

struct CloseArchive {
  // Nothing was changed, so nothing is to be written back.
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using ArchiveHandle = std::unique_ptr<zip_t, CloseArchive>;

struct CloseMember {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using MemberHandle = std::unique_ptr<zip_file_t, CloseMember>;

bool leaves_export(std::string_view name) {
  if (name.starts_with('/') || name.find('\\') != std::string_view::npos) return true;
  if (name.size() > 1 && name[1] == ':') return true;
  while (!name.empty()) {
    auto slash = name.find('/');
    if (name.substr(0, slash) == "..") return true;
    name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
  }
  return false;
}

bool is_litter(std::string_view name) {
  return name.starts_with("__MACOSX/") || name.starts_with('.') || name.find("/.") != std::string_view::npos;
}

class ArchiveLister {
 public:
  ArchiveLister(zip_t* archive, std::vector<Problem>& problems) : archive_(archive), problems_(problems) {}

  std::vector<Entry> list() {
    auto count = static_cast<std::uint64_t>(std::max<zip_int64_t>(0, zip_get_num_entries(archive_, 0)));
    for (std::uint64_t i = 0; i < count; ++i) take(i);
    std::ranges::stable_sort(entries_, {}, &Entry::name);
    drop_repeated();
    return std::move(entries_);
  }

 private:
  void take(std::uint64_t index) {
    zip_stat_t stat;
    if (zip_stat_index(archive_, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0) {
      return problem(fmt::format("entry {}", index), "damaged entry of the archive");
    }
    std::string name = stat.name;
    if (leaves_export(name)) return problem(name, "name leads out of the archive; ignored");
    if (!is_utf8(name)) return problem(name, "file name is not valid UTF-8");
    if (name.empty() || is_litter(name)) return;
    Entry entry{.name = name, .folder = name.ends_with('/'), .index = index};
    if (entry.folder) entry.name.pop_back();
    if ((stat.valid & ZIP_STAT_SIZE) != 0) entry.bytes = stat.size;
    entries_.push_back(std::move(entry));
  }

  void drop_repeated() {
    auto rest = std::ranges::unique(entries_, [&](const Entry& a, const Entry& b) {
      if (a.name != b.name) return false;
      if (!a.folder) problem(b.name, "twice in the archive; the first is read");
      return true;
    });
    entries_.erase(rest.begin(), rest.end());
  }

  void problem(const std::string& file, std::string reason) {
    problems_.push_back({.file = to_valid_utf8(file), .reason = std::move(reason)});
  }

  zip_t* archive_;
  std::vector<Problem>& problems_;
  std::vector<Entry> entries_;
};

class ArchiveSource final : public Source {
 public:
  ArchiveSource(ArchiveHandle archive, std::vector<Entry> entries)
      : archive_(std::move(archive)), entries_(std::move(entries)) {}

  const std::vector<Entry>& entries() const override { return entries_; }

  Result<std::string> read(const Entry& entry, std::size_t bytes_max) override {
    auto too_large = [&] {
      return fail(Errc::invalid_input, fmt::format("larger than {} bytes", bytes_max));
    };
    if (entry.bytes > bytes_max) return too_large();
    MemberHandle file(zip_fopen_index(archive_.get(), entry.index, 0));
    if (file == nullptr) return fail(Errc::invalid_input, fmt::format("cannot be unpacked: {}", why()));
    std::string text;
    std::string piece(kPieceBytes, '\0');
    for (;;) {
      auto n = zip_fread(file.get(), piece.data(), piece.size());
      if (n < 0) return fail(Errc::invalid_input, "cannot be unpacked: damaged data");
      if (n == 0) return text;
      text.append(piece, 0, static_cast<std::size_t>(n));
      if (text.size() > bytes_max) return too_large();
    }
  }

 private:
  std::string why() { return zip_error_strerror(zip_get_error(archive_.get())); }

  ArchiveHandle archive_;
  std::vector<Entry> entries_;
};

bool begins_like_zip(const std::filesystem::path& path) {
  char head[2] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  return head[0] == 'P' && head[1] == 'K';
}

std::string why_not_opened(const std::filesystem::path& path, int code) {
  if (code == ZIP_ER_OPEN || code == ZIP_ER_READ) return fmt::format("{}: cannot be read", path.string());
  if (begins_like_zip(path)) return fmt::format("{}: the ZIP archive is cut short or damaged", path.string());
  return fmt::format("{}: neither a folder nor a ZIP archive", path.string());
}

}  // namespace

Result<std::unique_ptr<Source>> open_archive(const std::filesystem::path& path, const ReadOptions& options,
                                             std::vector<Problem>& problems) {
  int code = 0;
  ArchiveHandle archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive == nullptr) return fail(Errc::invalid_input, why_not_opened(path, code));
  if (zip_get_num_entries(archive.get(), 0) > static_cast<zip_int64_t>(options.files_max)) {
    return fail(Errc::invalid_input, fmt::format("{}: more than {} files", path.string(), options.files_max));
  }
  auto entries = ArchiveLister(archive.get(), problems).list();
  return std::make_unique<ArchiveSource>(std::move(archive), std::move(entries));
}

}  // namespace troupe::slack
