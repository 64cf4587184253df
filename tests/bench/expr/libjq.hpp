// libjq as the engine would have to use it: values cross as JSON text in both directions.
#pragma once

#include <memory>
#include <string>
#include <vector>

class libjq {
public:
    /// Variables are fixed at compile time there: `$context` is given as an object of all of them.
    libjq(const std::string& program, const std::string& variables);
    ~libjq();
    libjq(const libjq&) = delete;
    libjq& operator=(const libjq&) = delete;

    /// Parses the input, runs the program, dumps the outputs.
    std::vector<std::string> run(const std::string& input);

private:
    struct state;
    std::unique_ptr<state> state_;
};
