// A certificate authority and server certificates made for one test run, in a temporary folder.
#pragma once

#include <filesystem>
#include <string>

namespace troupe::http::testing {

struct CertificateFiles {
  std::string certificate, key;
};

/// Makes PEM files; removed with it.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  std::string ca_file() const { return ca_.certificate; }
  /// `names` as in OpenSSL's subjectAltName: "DNS:localhost,IP:127.0.0.1".
  CertificateFiles issue(const std::string& name, const std::string& names) const;
  std::filesystem::path folder() const { return folder_; }

 private:
  struct Native;
  std::filesystem::path folder_;
  CertificateFiles ca_;
  Native* native_;
};

}  // namespace troupe::http::testing
