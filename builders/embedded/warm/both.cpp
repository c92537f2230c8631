#include <stdexcept>
#include <string>
#include <vector>

int count(int many) {
    try {
        std::vector<std::string> words(many, "word");
        if (many > 5) throw std::runtime_error("too many");
        return words.size();
    } catch (const std::exception &) {
        return -1;
    }
}

int main() { return count(0); }
