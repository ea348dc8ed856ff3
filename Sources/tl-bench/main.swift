print("tl-bench")
