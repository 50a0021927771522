// Whole nodes on loopback whose files the test writes.
#pragma once

#include <troupe/node.hpp>

#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"
#include "runtime/transport/gateway.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

namespace troupe::actors::testing {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe_node_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~NodeTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  /// Two simulated clouds, a model each and one more to be tried out, and these features.
  std::string two_clouds(const std::string& node, const std::string& features,
                         const std::string& home_of_large = {}) const {
    auto home = home_of_large.empty() ? std::string() : ", home: " + home_of_large;
    return fmt::format(R"(
node: {{id: {0}, state_dir: {3}/state-{0}}}
providers:
  east: {{dialect: openai, base_url: simulator}}
  west: {{dialect: openai, base_url: simulator}}
simulator:
  endpoints: [{{name: s, dialect: openai}}, {{name: l, dialect: openai}}, {{name: t, dialect: openai}}]
models: {{small: {{}}, large: {{}}, next: {{}}}}
endpoints:
  list:
    - {{id: s, provider: east, model: small}}
    - {{id: l, provider: west, model: large{2}}}
    - {{id: t, provider: west, model: next}}
features:
{1})",
                       node, features, home, folder_.string());
  }
  Result<Config> load(const std::string& text) {
    write("node.yaml", text);
    return Config::load((folder_ / "node.yaml").string());
  }
  std::unique_ptr<Node> start(const std::string& text) {
    auto config = load(text);
    if (!config) return ADD_FAILURE() << config.error().what, nullptr;
    auto node = Node::start(*config);
    if (!node) return ADD_FAILURE() << node.error().what, nullptr;
    return std::move(*node);
  }
  Result<void> reload(Node& node, const std::string& text) {
    auto config = load(text);
    if (!config) return std::unexpected(config.error());
    return node.reload(*config);
  }
  static Json ask(Node& node, const std::string& verb, const Json& input = Json::object()) {
    auto answer = node.ask(verb, {dump_json(input)});
    auto json = answer ? parse_json(answer->text) : Result<Json>(std::unexpected(answer.error()));
    return json ? *json : Json(json.error().what);
  }
  /// The model that would be asked first.
  static std::string leads(Node& node, const std::string& feature) {
    auto explained = ask(node, "route.explain", {{"feature", feature}});
    const auto* plan = find(explained, "plan");
    return plan != nullptr && !plan->empty() ? get_string((*plan)[0], "model") : std::string();
  }
  static bool eventually(const std::function<bool()>& holds) {
    auto patience = system_clock().now() + 20s;
    while (!holds())
      if (system_clock().now() > patience) return false;
    return true;
  }

  std::filesystem::path folder_;
};

/// `a` calls `b`, where the large model's endpoint lives.
class TwoNodesTest : public NodeTest {
 protected:
  void SetUp() override {
    auto a = transport::make_key_pair(), b = transport::make_key_pair();
    write("a.key", a.secret_key);
    write("b.key", b.secret_key);
    peer_of_b_ = fmt::format("{{id: a, public_key: \"{}\"}}", a.public_key);
    b_ = start(b_with_large_on("b"));
    ASSERT_TRUE(b_);
    peer_of_a_ = fmt::format("{{id: b, public_key: \"{}\", address: \"{}\"}}", b.public_key, b_->address());
    a_ = start(a_with_large_on("b"));
    ASSERT_TRUE(a_);
    ASSERT_TRUE(eventually([&] { return leads(*a_, "recap") == "large"; })) << "a hears b's endpoint";
  }
  void TearDown() override {
    if (a_) a_->stop();
    if (b_) b_->stop();
  }
  std::string a_with_large_on(const std::string& home) const { return node_text("a", peer_of_a_, home); }
  std::string b_with_large_on(const std::string& home) const { return node_text("b", peer_of_b_, home); }
  std::string node_text(const std::string& id, const std::string& peer, const std::string& home) const {
    return two_clouds(id, "  recap: {hierarchy: [large, small]}\n", home) +
           fmt::format("cluster: {{listen: \"tcp://127.0.0.1:0\", secret_key: \"file:{}\", peers: [{}]}}\n",
                       (folder_ / (id + ".key")).string(), peer);
  }
  /// What the node says of the endpoint.
  static Json line_of(Node& node, const std::string& endpoint) {
    auto all = ask(node, "endpoints");
    for (const auto& each : all)
      if (get_string(each, "endpoint") == endpoint) return each;
    return {};
  }
  static std::string state_of(Node& node, const std::string& endpoint) {
    return get_string(line_of(node, endpoint), "state");
  }
  std::string peer_of_a_, peer_of_b_;
  std::unique_ptr<Node> a_, b_;
};

}  // namespace troupe::actors::testing
