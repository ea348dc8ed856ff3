// HDF5 reads and writes HDF5 files through libhdf5. It knows nothing of tensors or Keras.
//
//   let file = try HDF5File.open("weights.h5")
//   let names = try file.root.attributes.strings("layer_names") ?? []
//   let kernel = try file.root.dataset("block1_conv1/kernel:0")
//   print(kernel.shape, try kernel.readFloats().prefix(4))
//   try file.close()
//
// A file is never trusted: what would make libhdf5 open another file (external links, external
// storage, virtual datasets) and what declares far more than the file holds is refused.
