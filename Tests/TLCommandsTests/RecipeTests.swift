import Foundation
import TestSupport
import Testing

/// Recipe files, what is wrong with them, and `tl run`.
struct RecipeTests {
  static let folder = URL(filePath: Locations.tests("../recipes"))

  /// Every recipe of the project, however deep it lies.
  static let shipped: [String] = {
    let walker = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let files = (walker?.allObjects ?? []).compactMap { ($0 as? URL)?.standardizedFileURL.path }
    return files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
  }()

  @Test func theBooksStepsAreThere() {
    let names = Self.shipped.map { URL(filePath: $0).lastPathComponent }
    for name in [
      "book-5.2-small-convnet", "book-5.2-augmentation-dropout", "book-5.3-cached-features",
      "book-5.3-frozen-base-augmented", "book-5.3-block5-unfrozen", "book-2nd-edition-features",
      "cats-vs-dogs", "demo",
    ] {
      #expect(names.contains("\(name).yaml"))
    }
  }

  @Test(arguments: shipped) func everyShippedRecipeIsGood(path: String) throws {
    let outcome = try runTL(["run", path, "--dry-run", "--check"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.hasPrefix("tl ") })
    let name = URL(filePath: path).deletingPathExtension().lastPathComponent
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("\nname: \(name)\n"), "the file is called as the recipe")
    #expect(text.contains("tl run recipes/\(name).yaml"), "the recipe says how to run it")
  }

  @Test func aRecipeBecomesCommands() throws {
    let outcome = try dryRun(
      Self.small, ["--data", "photos", "--base", "b.h5", "--run", "out", "--epochs", "2"])
    #expect(
      outcome.output == """
        tl extract-features photos/train --base b.h5 --image-size 64 --output out/features.h5
        tl train-head out/features.h5 --hidden 8 --epochs 2 --learning-rate 1e-3 --run out/head
        tl evaluate photos/validation --model out/head/model.h5

        """)
    #expect(outcome.errors == "the recipe is good; nothing was run\n")
  }

  @Test func allMetricsCanBeExpected() throws {
    for metric in ["loss", "f1_macro", "recall[a dog]", "top_3_accuracy", "seconds"] {
      let text = Self.small.replacing("evaluate.accuracy", with: "evaluate.\(metric)")
      _ = try dryRun(text, ["--check"])
    }
  }

  @Test func seedsShareWhatDoesNotDependOnThem() throws {
    let outcome = try dryRun(
      Self.small, ["--data", "d", "--base", "b", "--run", "o", "--seeds", "2", "--seed", "7"])
    #expect(
      outcome.output == """
        tl extract-features d/train --base b --image-size 64 --output o/features.h5
        tl train-head o/features.h5 --hidden 8 --epochs 3 --learning-rate 1e-3 --seed 7 --run o/seed-7/head
        tl evaluate d/validation --model o/seed-7/head/model.h5
        tl train-head o/features.h5 --hidden 8 --epochs 3 --learning-rate 1e-3 --seed 8 --run o/seed-8/head
        tl evaluate d/validation --model o/seed-8/head/model.h5

        """)
  }

  @Test func valuesOfAllKindsBecomeFlags() throws {
    let outcome = try dryRun(
      """
      name: kinds
      stages:
        - name: a
          command: fine-tune
          data: x y
          model: m.h5
          unfreeze: [block4, block5]
          horizontal-flip: false
          vertical-flip: true
          strict: true
          ignore-orientation: false
          zoom: [0.8, 1.2]
        - name: b
          command: predict
          path: [p, q]
          model: ${a}
      """, ["--run", "o"])
    #expect(
      outcome.output == """
        tl fine-tune 'x y' --model m.h5 --unfreeze block4,block5 --no-horizontal-flip \
        --vertical-flip --strict --zoom 0.8,1.2 --run o/a
        tl predict p q --model o/a/model.h5

        """)
  }

  /// Wrong recipes, by what is replaced by what in `small`, and what is said.
  static let wrong: [(old: String, new: String, words: String)] = [
    ("stages:", "stage:", "r.yaml:6:1: unknown key 'stage': did you mean 'stages'?"),
    ("epochs: 3", "epoch: 3", "r.yaml:16:5: unknown option 'epoch': did you mean 'epochs'?"),
    ("epochs: 3", "epochs: many", "r.yaml:16:13: stage 'head': the value 'many' is invalid for"),
    ("epochs: 3", "epochs: 0", "r.yaml:16:13: stage 'head': --epochs must be 1 or more, found 0"),
    ("epochs: 3", "epochs:", "r.yaml:16:12: 'epochs' has no value"),
    ("epochs: 3", "epochs: {a: 1}", "r.yaml:16:13: 'epochs' must be one value, found 'key: value'"),
    ("epochs: 3", "epochs: 3\n    epochs: 4", "r.yaml:16:5: 'epochs' stands here more than once"),
    (
      "command: train-head", "command: train-hed",
      "r.yaml:13:14: unknown command 'train-hed': did you mean 'train-head'?"
    ),
    ("command: train-head", "units: 4", "r.yaml:12:5: this stage lacks 'command'"),
    (
      "${features}", "${feature}",
      "r.yaml:14:15: unknown name in ${...} 'feature': did you mean 'features'?"
    ),
    ("${features}", "${head}", "'${head}' is used before stage 'head' wrote it"),
    ("    features: ${features}\n", "", "r.yaml:12:11: stage 'head': missing expected argument"),
    ("name: head", "name: train", "r.yaml:12:11: the name 'train' is already taken"),
    ("name: small", "name: a/b", "r.yaml:1:7: the name 'a/b' also names a folder"),
    ("name: small", "name: [a]", "r.yaml:1:7: 'name' must be one value, found a list"),
    ("0.5..1", "half", "r.yaml:23:22: 'evaluate.accuracy' must be a range such as 0.88..0.92"),
    ("0.5..1", "1..0.5", "must be a range such as"),
    (
      "evaluate.accuracy", "evaluat.accuracy",
      "r.yaml:23:3: unknown stage 'evaluat': did you mean 'evaluate'?"
    ),
    (
      "evaluate.accuracy", "evaluate.acuracy",
      "r.yaml:23:3: unknown metric of evaluate 'acuracy': did you mean 'accuracy'?"
    ),
    ("evaluate.accuracy", "evaluate.recal[cats]", "unknown metric of evaluate 'recal[cats]'"),
    ("stages:", "stages: [", "r.yaml:7:3: this is not YAML: "),
    ("command: train-head", "command: run", "unknown command 'run'"),
  ]

  @Test(arguments: wrong.indices) func whatIsWrongIsSaidWithItsPlace(index: Int) throws {
    let (old, new, words) = Self.wrong[index]
    #expect(Self.small.contains(old))
    try Locations.withTemporaryFolder { folder in
      let text = Self.small.replacing(old, with: new, maxReplacements: 1)
      try Data(text.utf8).write(to: folder.appending(path: "r.yaml"))
      let outcome = try runTL(["run", "r.yaml", "--dry-run"], in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("tl run: error: "), "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test func changesThatFitNothingAreRefused() throws {
    for (change, words) in [
      (["--epoch", "2"], "unknown option 'epoch': did you mean 'epochs'?"),
      (["--epoch=2"], "unknown option 'epoch': did you mean 'epochs'?"),
      (["--haed.epochs", "2"], "unknown stage 'haed': did you mean 'head'?"),
      (["--epochs", "2", "3"], "expected --OPTION VALUE behind the recipe, found '3'"),
    ] {
      let outcome = try dryRun(Self.small, change, status: 64)
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test func missingDataIsNoticedBeforeAnythingRuns() throws {
    try withSmall { folder in
      let none = try runTL(["run", "r.yaml", "--base", "b"], in: folder)
      #expect(none.status == 1)
      #expect(none.errors.contains("the recipe does not say which data\n  try: --data FOLDER"))
      let wrong = try runTL(["run", "r.yaml", "--base", "b", "--data", "gone"], in: folder)
      #expect(wrong.errors.contains("no folder 'gone/train' for 'train'"))
      let base = try runTL(["run", "r.yaml", "--data", WorkflowTests.photos], in: folder)
      #expect(base.errors.contains("the recipe does not say which base\n  try: --base FILE"))
      let file = try runTL(["run", "gone.yaml"], in: folder)
      #expect(file.errors.contains("cannot read the recipe 'gone.yaml': no such file"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["r.yaml"])
    }
  }

  static let small = """
    name: small
    data:
      train: train
      validation: validation
    description: A head on features of a tiny base.
    stages:
      - name: features
        command: extract-features
        data: ${train}
        base: ${base}
        image-size: 64
      - name: head
        command: train-head
        features: ${features}
        hidden: 8
        epochs: 3
        learning-rate: 1e-3
      - name: evaluate
        command: evaluate
        data: ${validation}
        model: ${head}
    expect:
      evaluate.accuracy: 0.5..1
    """

  /// Runs `body` in a folder with the recipe `r.yaml`.
  func withSmall(_ text: String = small, _ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      try Data(text.utf8).write(to: folder.appending(path: "r.yaml"))
      try body(folder)
    }
  }

  private func dryRun(
    _ text: String, _ arguments: [String], status: Int32 = 0
  ) throws -> RunOutcome {
    try Locations.withTemporaryFolder { folder in
      try Data(text.utf8).write(to: folder.appending(path: "r.yaml"))
      let outcome = try runTL(["run", "r.yaml", "--dry-run"] + arguments, in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      return outcome
    }
  }
}
