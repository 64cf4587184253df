// Builds a yaml_document from yaml-cpp's events. Refuses what the language does not allow by throwing yaml_refusal, the only way out of
// an event handler; read_yaml turns it into a diagnostic. One builder reads one document, on one thread.
#pragma once

#include "flow/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <unordered_map>

namespace pawl::flow {

struct yaml_refusal {
    diagnostic what;
};

class yaml_builder final : public YAML::EventHandler {
public:
    /// Stands for `?` in what the parser reads; see with_hidden_question_marks().
    static constexpr char hidden_question_mark = '\x01';

    yaml_builder(std::string_view source, std::string_view file, const yaml_limits& limits);

    /// What the parser reads has them hidden.
    void restore_question_marks() noexcept { question_marks_hidden_ = true; }

    json::value& value() noexcept { return root_value_; }
    yaml_place& place() noexcept { return root_place_; }

    /// yaml-cpp lets the end of the text close a quote; call this when the text has ended.
    void check_last_quote() const;

    [[noreturn]] void refuse(std::size_t line, std::size_t column, std::string code, std::string message, std::string hint = {}) const;

    void OnDocumentStart(const YAML::Mark& mark) override;
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override { end_container(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) override;
    void OnMapEnd() override { end_container(); }

private:
    /// What a value costs once aliases are expanded.
    struct weight {
        std::size_t nodes = 1;
        std::size_t bytes = 0;
        std::size_t height = 0;
    };
    struct open_container {
        json::value value;
        yaml_place place;
        YAML::anchor_t anchor = 0;
        weight size;
        std::string key;
        source_mark key_mark;
        bool has_key = false;
    };
    struct anchored {
        json::value value;
        weight size;
        bool complete = false;
    };

    yaml_place place_at(const YAML::Mark& mark) const;
    bool expects_key() const noexcept { return !stack_.empty() && stack_.back().value.is_object() && !stack_.back().has_key; }
    void take_key(const YAML::Mark& mark, const std::string& tag, const std::string& text);
    void start_container(const YAML::Mark& mark, std::string_view standard_tag, const std::string& tag, YAML::anchor_t anchor, json::value empty);
    void end_container();
    void add(json::value value, yaml_place place, const weight& size, YAML::anchor_t anchor);
    void charge(const YAML::Mark& mark, const weight& size);
    json::value typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) const;
    json::value typed_by_tag(const YAML::Mark& mark, const std::string& tag, const std::string& text) const;

    std::string_view source_;
    std::string_view file_;
    yaml_limits limits_;
    std::vector<std::size_t> line_starts_;
    std::vector<open_container> stack_;
    std::unordered_map<YAML::anchor_t, anchored> anchors_;
    weight spent_{0, 0, 0};
    json::value root_value_;
    yaml_place root_place_;
    YAML::Mark last_scalar_;
    bool seen_document_ = false;
    bool question_marks_hidden_ = false;
};

}  // namespace pawl::flow
