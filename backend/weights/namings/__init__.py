"""How weights name their tensors: one file per naming, each turning names into torchvision's."""
