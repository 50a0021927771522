// Writes exports for the reader's tests.
#include "tests/agents/export_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

namespace troupe::slack::test {
namespace {

std::uint32_t crc32_of(std::string_view text) {
  std::uint32_t crc = 0xffffffffu;
  for (unsigned char c : text) {
    crc ^= c;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}

// The fields that local and central headers share: version 2.0, UTF-8 names, stored, 1980-01-01.
std::string shared_header(const std::string& name, const std::string& text) {
  auto size = little(text.size(), 4);
  return little(20, 2) + little(0x0800, 2) + little(0, 2) + little(0, 2) + little(0x21, 2) +
         little(crc32_of(text), 4) + size + size + little(name.size(), 2) + little(0, 2);
}

}  // namespace

ExportDir::ExportDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "troupe-export-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

ExportDir::~ExportDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path ExportDir::write(const std::string& name, const std::string& text) const {
  auto file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

void write_people(const ExportDir& dir) {
  dir.write("users.json", R"([
    {"id":"U1","name":"ann","real_name":"Ann Example","profile":{"display_name":"Ann"}},
    {"id":"U2","name":"bob","real_name":"Bob","profile":{"display_name":"bob.b"},"deleted":true},
    {"id":"U3","name":"deploybot","is_bot":true,"profile":{"display_name":""}}])");
  dir.write("channels.json", R"([
    {"id":"C1","name":"general","is_general":true,"members":["U1","U2"]},
    {"id":"C2","name":"dev","is_shared":true,"members":["U1"]}])");
}

std::string message(const std::string& user, const std::string& ts, const std::string& text,
                    const std::string& more) {
  return R"({"type":"message","user":")" + user + R"(","ts":")" + ts + R"(","text":")" + text + "\"" + more +
         "}";
}

std::string array(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const auto& element : elements) out += (out.size() > 1 ? ",\n" : "") + element;
  return out + "]";
}

std::string stored_zip(const ZipFiles& files) {
  std::string body, directory;
  for (const auto& [name, text] : files) {
    auto header = shared_header(name, text);
    directory += "PK\x01\x02" + little(20, 2) + header + little(0, 2) + little(0, 2) + little(0, 2) +
                 little(0, 4) + little(body.size(), 4) + name;
    body += "PK\x03\x04" + header + name + text;
  }
  auto count = little(files.size(), 2);
  return body + directory + "PK\x05\x06" + little(0, 4) + count + count + little(directory.size(), 4) +
         little(body.size(), 4) + little(0, 2);
}

std::string problems_text(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& problem : problems) out += problem.file + ": " + problem.reason + "\n";
  return out;
}

}  // namespace troupe::slack::test
