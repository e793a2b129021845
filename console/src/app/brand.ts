/** The console's own colours on Cloudscape's components. */
import { type Theme, applyTheme } from '@cloudscape-design/components/theming';

const both = (light: string, dark: string) => ({ light, dark });

const theme: Theme = {
  tokens: {
    colorBackgroundButtonPrimaryDefault: both('#0b6e80', '#4fc3d6'),
    colorBackgroundButtonPrimaryHover: both('#084f5c', '#7ad5e4'),
    colorBackgroundButtonPrimaryActive: both('#063f4a', '#4fc3d6'),
    colorTextButtonPrimaryDefault: both('#ffffff', '#06262d'),
    colorTextButtonPrimaryHover: both('#ffffff', '#06262d'),
    colorTextButtonPrimaryActive: both('#ffffff', '#06262d'),
    colorBorderButtonNormalDefault: both('#0b6e80', '#4fc3d6'),
    colorTextButtonNormalDefault: both('#0b6e80', '#4fc3d6'),
    colorBorderButtonNormalHover: both('#084f5c', '#7ad5e4'),
    colorTextButtonNormalHover: both('#084f5c', '#7ad5e4'),
    colorBackgroundButtonNormalHover: both('#eefafc', '#12303a'),
    colorTextLinkDefault: both('#0b6e80', '#6fd0e0'),
    colorTextLinkHover: both('#084f5c', '#9be2ee'),
    colorTextAccent: both('#0b6e80', '#6fd0e0'),
    colorBorderItemFocused: both('#0b6e80', '#6fd0e0'),
    colorBorderInputFocused: both('#0b6e80', '#6fd0e0'),
    colorBackgroundControlChecked: both('#0b6e80', '#4fc3d6'),
    colorBackgroundToggleCheckedDisabled: both('#9ccfd8', '#23525c'),
    colorBackgroundSegmentActive: both('#0b6e80', '#4fc3d6'),
  },
};

export function startBrand(): void {
  applyTheme({ theme });
}
