// The world of a credential flow by script: answers by address, files, variables and programs in maps.
#pragma once

#include "providers/auth/issuer.hpp"
#include "tests/providers/codec_support.hpp"

#include <map>

namespace troupe::providers::codec_test {

constexpr WallTime kFixtureTime{1'440'938'160'000};  // 2015-08-30T12:36:00Z

class ScriptedPorts final : public Ports {
 public:
  using Script = std::function<Result<http::Response>(const http::Request&)>;

  /// By "METHOD host target-without-query"; the last entry of a list is given again and again.
  std::map<std::string, std::vector<Script>> answers;
  std::map<std::string, std::string> files, variables, programs;
  WallTime now = kFixtureTime;
  std::vector<IssuerCall> calls;

  void answer(const std::string& where, int status, std::string body, http::Headers headers = {}) {
    http::Response response{status, std::move(headers), std::move(body)};
    answers[where].push_back([response](const http::Request&) { return response; });
  }
  void break_off(const std::string& where, Errc code = Errc::transient_server) {
    answers[where].push_back([code](const http::Request&) { return fail(code, "by script"); });
  }

  void call(IssuerCall call, std::function<void(Result<http::Response>)> done) override {
    calls.push_back(call);
    auto path = call.request.target.substr(0, call.request.target.find('?'));
    auto where = call.request.method + " " + *http::find_header(call.request.headers, "host") + " " + path;
    auto& scripts = answers[where];
    if (scripts.empty()) return done(fail(Errc::timeout, "nobody at " + where));
    auto script = scripts.front();
    if (scripts.size() > 1) scripts.erase(scripts.begin());
    done(script(call.request));
  }
  Result<std::string> read_file(const std::string& path) override {
    auto it = files.find(path);
    return it == files.end() ? Result<std::string>(fail(Errc::input_missing, path)) : it->second;
  }
  void run(const std::string& command, Duration, std::function<void(Result<std::string>)> done) override {
    auto it = programs.find(command);
    done(it == programs.end() ? Result<std::string>(fail(Errc::auth, "it failed")) : it->second);
  }
  std::optional<std::string> variable(const std::string& name) override {
    auto it = variables.find(name);
    return it == variables.end() ? std::nullopt : std::optional(it->second);
  }
  WallTime wall() override { return now; }
};

/// Runs a flow to its end; scripts answer at once.
template <class T>
T finish(Task<T> flow) {
  std::optional<T> result;
  flow.start([&](T value) { result.emplace(std::move(value)); });
  EXPECT_TRUE(result) << "the flow still waits";
  return std::move(*result);
}

/// A call against a captured request: method, target and body are the same, and so is every header either
/// has, but for those of the SDK's own telemetry and of signatures (which cover the telemetry).
inline void expect_captured(const IssuerCall& call, const Unordered& captured) {
  const auto& request = call.request;
  EXPECT_EQ(request.method, captured["method"]);
  EXPECT_EQ(request.target, captured["target"]);
  EXPECT_EQ(request.body, captured["body_raw"]);
  EXPECT_EQ(call.origin.tls, captured["tls"].get<bool>());
  const std::vector<std::string> theirs_alone{
      "user-agent", "x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "x-goog-api-client",
      "accept",     "accept-encoding",  "content-length",        "connection",      "x-amz-content-sha256"};
  auto alone = [&](const std::string& name) {
    return std::ranges::any_of(theirs_alone, [&](auto& each) { return http::same_header_name(each, name); });
  };
  bool is_signed = false;
  for (const auto& header : captured["headers"]) {
    auto name = header[0].get<std::string>();
    const auto* ours = http::find_header(request.headers, name);
    if (alone(name)) continue;
    ASSERT_NE(ours, nullptr) << name;
    is_signed = header[1].get<std::string>().starts_with("AWS4-HMAC-SHA256");
    if (!is_signed) {
      EXPECT_EQ(*ours, header[1]) << name;
    }
  }
}

}  // namespace troupe::providers::codec_test
