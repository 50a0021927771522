#include "runtime/tools/corpus_files.hpp"

#include "runtime/json/json.hpp"
#include "runtime/tools/html_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <unordered_map>
#include <utility>

namespace troupe::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdBytesMax = 1024;
/// Of what a tool said, and of documents of a configured corpus (library.hpp): nobody else's may pass for it.
constexpr std::array<std::string_view, 2> kOwnIds = {"tool:", "corpus:"};
constexpr std::array<std::string_view, 6> kPageEnds = {".txt", ".text", ".md", ".markdown", ".html", ".htm"};

/// Takes documents one by one, within the bounds.
class CorpusReader {
 public:
  CorpusReader(const CorpusConfig& config, const std::set<std::string>* only)
      : config_(config), only_(only) {}

  void problem(std::string where, std::string reason, bool for_everyone = true) {
    ++files_.problem_count;
    if (files_.problems.size() < config_.problems_max)
      files_.problems.push_back({std::move(where), std::move(reason), for_everyone});
  }
  /// False when the corpus is full.
  bool take(Document document, const std::string& where) {
    if (!wants(document.id)) return true;
    bytes_ += document.text.size();
    if (files_.documents.size() == config_.documents_max || bytes_ > config_.total_bytes_max) return false;
    const bool open = !document.readers;
    if (document.text.find_first_not_of(" \t\r\n") == std::string::npos)
      problem(where, "there is no text in it", open);
    else if (document.text.find('\0') != std::string::npos)
      problem(where, "its text holds NUL bytes", open);
    else if (std::ranges::any_of(kOwnIds, [&](auto own) { return document.id.starts_with(own); }))
      problem(where, "ids that begin with \"tool:\" or \"corpus:\" are the program's own", open);
    else if (auto [earlier, fresh] = open_by_id_.emplace(document.id, open); !fresh)
      problem(where, fmt::format("there is an earlier document with the id {}", document.id),
              open && earlier->second);
    else
      files_.documents.push_back(std::move(document));
    return true;
  }
  bool wants(const std::string& id) const { return only_ == nullptr || only_->contains(id); }
  const CorpusConfig& config() const { return config_; }
  CorpusFiles done() { return std::move(files_); }

 private:
  const CorpusConfig& config_;
  const std::set<std::string>* only_;
  CorpusFiles files_;
  // Whether everyone may read the document that has the id.
  std::unordered_map<std::string, bool> open_by_id_;
  std::size_t bytes_ = 0;
};

std::unexpected<Error> too_large(const CorpusConfig& config) {
  return fail(Errc::invalid_input, fmt::format("the corpus is larger than {} documents or {} bytes of text",
                                               config.documents_max, config.total_bytes_max));
}

/// The principals of "acl". Fails rather than guessing: a record whose readers are unclear is not shown at
/// all.
Result<void> read_acl(const Json& record, Document& document) {
  const auto* acl = find(record, "acl");
  if (!acl || acl->is_null()) return {};
  if (!acl->is_array()) return fail(Errc::invalid_input, "acl is no list of names");
  document.readers.emplace();
  for (const auto& name : *acl) {
    if (!name.is_string()) return fail(Errc::invalid_input, "acl is no list of names");
    document.readers->push_back(name.get<std::string>());
  }
  return {};
}

Result<void> read_authority(const Json& record, Document& document) {
  const auto* authority = find(record, "authority");
  if (!authority || authority->is_null()) return {};
  double value = authority->is_number() ? authority->get<double>() : -1;
  if (!(value >= 0 && value <= 1)) return fail(Errc::invalid_input, "authority is no number from 0 to 1");
  document.authority = value;
  return {};
}

// For filters only: what cannot be understood is as if it were not said.
void read_descriptions(const Json& record, Document& document) {
  auto date = get_string(record, "date");
  bool day =
      date.size() >= 10 && date[4] == '-' && date[7] == '-' && date.find_first_not_of("0123456789-") >= 10;
  if (day) document.date = date.substr(0, 10);
  document.type = get_string(record, "type");
  const auto* people = find(record, "people");
  if (people != nullptr && people->is_array())
    for (const auto& person : *people)
      if (person.is_string()) document.people.push_back(person.get<std::string>());
}

Result<Document> document_of(const Json& record) {
  if (!record.is_object()) return fail(Errc::invalid_input, "it is no JSON object");
  Document document;
  const auto* id = find(record, "id");
  if (id && id->is_number_integer()) document.id = id->dump();
  if (id && id->is_string()) document.id = id->get<std::string>();
  if (document.id.empty() || document.id.size() > kIdBytesMax)
    return fail(Errc::invalid_input, fmt::format("it has no id of 1 to {} bytes", kIdBytesMax));
  const auto* text = find(record, "text");
  if (!text || !text->is_string()) return fail(Errc::invalid_input, "it has no text");
  document.text = text->get<std::string>();
  document.title = get_string(record, "title");
  document.url = get_string(record, "url");
  read_descriptions(record, document);
  auto read = read_acl(record, document);
  if (read) read = read_authority(record, document);
  if (!read) return std::unexpected(std::move(read.error()));
  return document;
}

bool names_readers(const Result<Json>& record) {
  const auto* acl = record ? find(*record, "acl") : nullptr;
  return acl != nullptr && !acl->is_null();
}

enum class LineRead { line, too_long, end };

/// The next line without its end. Of a line that is too long nothing is kept.
LineRead read_line(std::istream& in, std::string& line, std::size_t bytes_max) {
  line.clear();
  auto* buffer = in.rdbuf();
  bool any = false, too_long = false;
  for (int c = buffer->sbumpc(); c != std::char_traits<char>::eof(); c = buffer->sbumpc()) {
    any = true;
    if (c == '\n') break;
    too_long = too_long || line.size() == bytes_max;
    if (!too_long) line += static_cast<char>(c);
  }
  if (!any) return LineRead::end;
  return too_long ? LineRead::too_long : LineRead::line;
}

Result<void> read_records(const fs::path& path, CorpusReader& reader) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::input_missing, fmt::format("cannot read {}", path.string()));
  // Escapes make a record up to six times as long as its text.
  const std::size_t bytes_max = 6 * reader.config().document_bytes_max + 64 * 1024;
  std::string line;
  auto file = path.filename().string();
  for (std::size_t number = 1;; ++number) {
    auto got = read_line(in, line, bytes_max);
    if (got == LineRead::end) return {};
    auto where = fmt::format("{}:{}", file, number);
    if (got == LineRead::line && line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto record =
        got == LineRead::line ? parse_json(line) : fail(Errc::invalid_input, "the line is too long");
    auto document = record ? document_of(*record) : Result<Document>(std::unexpected(record.error()));
    if (document && document->text.size() > reader.config().document_bytes_max)
      document = fail(Errc::invalid_input, "its text is too long");
    if (!document)
      reader.problem(where, document.error().what, !names_readers(record));
    else if (!reader.take(std::move(*document), where))
      return too_large(reader.config());
  }
}

std::string lower_extension(const fs::path& path) {
  auto out = path.extension().string();
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

/// The first heading of a Markdown text, or nothing.
std::string markdown_title(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    auto line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with("# ")) {
      auto last = line.find_last_not_of(" \t\r#");
      return std::string(line.substr(2, last == std::string_view::npos || last < 2 ? 0 : last - 1));
    }
    at += line.size() + 1;
  }
  return {};
}

Result<Document> document_of_file(const fs::path& file, const std::string& id, std::size_t bytes_max) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes;
  if (!in) return fail(Errc::input_missing, "it cannot be read");
  bytes.resize(bytes_max + 1);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.size() > bytes_max)
    return fail(Errc::invalid_input, fmt::format("it is longer than {} bytes", bytes_max));
  if (!is_utf8(bytes)) return fail(Errc::invalid_input, "it is no UTF-8 text");
  Document document{.id = id};
  auto extension = lower_extension(file);
  if (extension.starts_with(".htm")) {
    auto page = html_text(bytes);
    document.title = std::move(page.title);
    document.text = std::move(page.text);
  } else {
    if (extension.starts_with(".m")) document.title = markdown_title(bytes);
    document.text = std::move(bytes);
  }
  if (document.title.empty()) document.title = file.stem().string();
  return document;
}

/// The files beneath a folder that may be documents, by relative path.
std::vector<std::string> files_beneath(const fs::path& folder, CorpusReader& reader) {
  std::vector<std::string> out;
  std::error_code ec;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, ec), end;
  for (; !ec && it != end; it.increment(ec)) {
    std::error_code gone;
    auto status = it->symlink_status(gone);
    bool hidden = it->path().filename().string().starts_with('.');
    if (hidden && fs::is_directory(status)) it.disable_recursion_pending();
    if (hidden || gone || !fs::is_regular_file(status)) continue;
    if (std::ranges::find(kPageEnds, lower_extension(it->path())) != kPageEnds.end())
      out.push_back(it->path().lexically_relative(folder).generic_string());
  }
  if (ec) reader.problem(folder.string(), "it could not be listed to its end: " + ec.message());
  std::ranges::sort(out);
  return out;
}

Result<void> read_folder(const fs::path& folder, CorpusReader& reader) {
  for (const auto& id : files_beneath(folder, reader)) {
    if (!reader.wants(id)) continue;
    auto document = is_utf8(id) ? document_of_file(folder / id, id, reader.config().document_bytes_max)
                                : fail(Errc::invalid_input, "its name is no UTF-8 text");
    if (!document)
      reader.problem(to_valid_utf8(id), document.error().what);
    else if (!reader.take(std::move(*document), id))
      return too_large(reader.config());
  }
  return {};
}

}  // namespace

Result<CorpusFiles> read_corpus_files(const fs::path& path, const CorpusConfig& config,
                                      const std::set<std::string>* only) {
  std::error_code ec;
  auto status = fs::status(path, ec);
  if (ec || !fs::exists(status))
    return fail(Errc::input_missing, fmt::format("there is no {}", path.string()));
  CorpusReader reader(config, only);
  auto read = fs::is_directory(status) ? read_folder(path, reader) : read_records(path, reader);
  if (!read) return std::unexpected(std::move(read.error()));
  return reader.done();
}

}  // namespace troupe::tools
